import ArgumentParser
import ImageAlerts
import KubeClient
import PlimsollService

/// The rules that make alerts.
struct RulesOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Alert by the rules of this file. Without it, every change of a node's images is one. "
                + "`plimsoll rules` knows more.", valueName: "file"),
        completion: .file())
    var rules: String?

    /// - Throws: `ExitCode` 2, after the file's problems have been told.
    func read() throws -> RuleFile {
        guard let rules else { return RuleFile(rules: [.storageChanged]) }
        return try Self.read(rules)
    }

    /// Reads a rule file, or the rules of a service's configuration; what is wrong with it is told, each with line and column.
    static func read(_ path: String) throws -> RuleFile {
        do {
            return try ServiceConfiguration(try FileReader.read(path), name: path).alerting
        } catch let error as RuleFile.Invalid {
            Talk.say(error.description)
            let count = error.problems.count
            Talk.say(
                "Error: \(path) has \(count) problem\(count == 1 ? "" : "s"); nothing of it is used"
            )
            throw ExitCode(2)
        } catch let error as KubeError {
            Talk.say("Error: \(error.message)")
            throw ExitCode(2)
        }
    }
}
