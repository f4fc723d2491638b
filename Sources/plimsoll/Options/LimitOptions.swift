import ArgumentParser
import KubeClient

/// `--limit NAME=VALUE`, for the bounds that errors name.
struct LimitOptions: ParsableArguments {
    struct Limit: ExpressibleByArgument {
        var name: DecodingLimits.Name
        var value: Int

        init?(argument: String) {
            let parts = argument.split(separator: "=").map(String.init)
            guard parts.count == 2, let name = DecodingLimits.Name(rawValue: parts[0]),
                let value = Int(parts[1]), value > 0
            else { return nil }
            self.name = name
            self.value = value
        }
    }

    @Option(
        name: .customLong("limit"),
        help: ArgumentHelp(
            "Another bound on what is accepted: "
                + DecodingLimits.Name.allCases.map(\.rawValue).joined(separator: ", ") + ".",
            valueName: "name=value"))
    var limits: [Limit] = []

    var decodingLimits: DecodingLimits {
        limits.reduce(into: DecodingLimits()) { $0[$1.name] = $1.value }
    }
}
