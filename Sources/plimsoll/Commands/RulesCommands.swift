import ArgumentParser
import ImageAlerts
import KubeClient
import PlimsollService

struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check rule files, try them out, and print what they may hold.",
        subcommands: [Validate.self, Test.self, Example.self, Schema.self])

    struct Validate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check rule files; every problem is told with its line and column.",
            discussion: "Ends with 0 when all are sound, 2 when one is not.")

        @Argument(help: "Rule files.", completion: .file())
        var files: [String]

        func run() throws {
            var isSound = true
            for path in files {
                guard let file = try? RulesOption.read(path) else {
                    isSound = false
                    continue
                }
                let count = file.rules.count
                Output.line("\(path): \(count) rule\(count == 1 ? "" : "s"), all sound")
            }
            if !isSound { throw ExitCode(2) }
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run rules against histories, and compare what fires with what should.",
            discussion: """
                A test file holds YAML documents, each with a history, what is expected of it, and rules \
                unless --rules names a file of them:

                  rules:
                    - {name: latest, type: image-appeared, images: "*:latest"}
                  history: |
                    0s   node n1
                    10s  pull n1 nginx:latest 1GiB
                  expect: |
                    10s  info  latest  n1: nginx:latest (1.0 GiB) appeared

                Without "expect" it prints what would have fired. To try rules on what `record` recorded:
                  plimsoll replay --rules FILE nodes.rec

                Commands of histories:
                \(RuleTest.commands.map { "  \(padded($0.words)) \($0.meaning)" }
                    .joined(separator: "\n"))

                Ends with 0 when all is as expected, 1 when not, 2 where a file is not sound.
                """)

        @Option(
            help: ArgumentHelp("Rules for tests that bring none along.", valueName: "file"),
            completion: .file())
        var rules: String?

        @Argument(help: "Test files.", completion: .file())
        var files: [String]

        func run() throws {
            let rules = try rules.map { try RulesOption.read($0).rules }
            var failures = 0
            for path in files {
                do {
                    for test in try RuleTest.read(path: path) {
                        guard let rules = test.rules ?? rules else {
                            throw Failure(
                                "\(path): the test \"\(test.name)\" brings no rules along; "
                                    + "name some with --rules FILE")
                        }
                        if !Self.report(test, try test.run(rules), path) { failures += 1 }
                    }
                } catch let error as RuleFile.Invalid {
                    Talk.say(error.description)
                    throw ExitCode(2)
                } catch let error as KubeError {
                    Talk.say("Error: \(error.message)")
                    throw ExitCode(2)
                }
            }
            if failures > 0 { throw ExitCode.failure }
        }

        /// Whether it is as expected.
        private static func report(
            _ test: RuleTest, _ outcomes: [RuleTest.Outcome], _ path: String
        ) -> Bool {
            guard let expected = test.expected else {
                outcomes.forEach { Output.line($0.text) }
                return true
            }
            if outcomes == expected {
                Output.line("ok    \(path): \(test.name)")
                return true
            }
            Output.line("FAIL  \(path): \(test.name)")
            for outcome in expected where !outcomes.contains(outcome) {
                Output.line("  - \(outcome)")
            }
            for outcome in outcomes where !expected.contains(outcome) {
                Output.line("  + \(outcome)")
            }
            if Set(outcomes) == Set(expected) {
                Output.line("  the same, but in another order or number:")
                outcomes.forEach { Output.line("  + \($0)") }
            }
            return false
        }
    }

    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a rule file to begin with: rules that most clusters can live with.")

        func run() { Output.text(RuleFile.example) }
    }

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JSON Schema of rule files, by which editors complete them.")

        func run() { Output.line(ServiceConfiguration.schema) }
    }

    fileprivate static func padded(_ text: String) -> String {
        text + String(repeating: " ", count: max(0, 38 - text.count))
    }
}

private func padded(_ text: String) -> String { RulesCommand.padded(text) }
