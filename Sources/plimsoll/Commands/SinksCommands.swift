public import ArgumentParser
import FoundationEssentials
public import ImageAlerts
import KubeClient

struct SinksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sinks",
        abstract: "Try out who is told of alerts.",
        subcommands: [Test.self])

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one alert, marked as a test, to every sink of a rule file.",
            discussion: """
                Each sink is told once, without waiting for others and whatever its rules and severities are. \
                An Event needs a cluster, and --node.

                  plimsoll sinks test rules.yaml
                  plimsoll sinks test rules.yaml --sink pager --severity critical

                Ends with 0 when all took it, 1 when one did not, 2 where the file is not sound.
                """)

        @OptionGroup var connection: ConnectionOptions

        @Option(help: ArgumentHelp("Only this one.", valueName: "name"))
        var sink: String?

        @Option(help: "How bad it is said to be; info pages nobody.")
        var severity = Rule.Severity.warning

        @Option(help: ArgumentHelp("A node for it to be about.", valueName: "name"))
        var node: String?

        @Argument(help: "A rule file with sinks.", completion: .file())
        var file: String

        func run() async throws {
            let file = try RulesOption.read(file)
            let sinks = file.sinks.filter { sink == nil || $0.name == sink }
            guard !sinks.isEmpty else {
                let names = file.sinks.map(\.name).joined(separator: ", ")
                throw Failure(
                    sink.map { "there is no sink \"\($0)\"; there are \(names)" }
                        ?? "\(self.file) has no sinks")
            }
            var client: KubeClient?
            var uid = ""
            if let node {
                let own = try connection.client(DecodingLimits())
                uid = try await own.nodes.get(node).uid
                client = own
            }
            let cluster = client?.configuration.contextName ?? "test"
            let alert = Alert.test(severity, cluster: cluster, node: node, uid: uid)
            var failures = 0
            for sink in sinks {
                if let problem = await sink.test(alert, client, userAgent: Version.userAgent) {
                    failures += 1
                    Output.line("FAIL  \(sink.name)  \(problem)")
                } else {
                    Output.line("ok    \(sink.name)")
                }
            }
            if failures > 0 { throw ExitCode.failure }
        }
    }
}

extension Rule.Severity: ExpressibleByArgument {}
