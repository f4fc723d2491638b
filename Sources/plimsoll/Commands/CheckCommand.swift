import ArgumentParser
import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Hold a cluster against rules once, for CI and cron.",
        discussion: """
            Judges what can be judged at one moment: how full nodes are, conditions, images that are there, \
            versions, spread. Rules on changes and on silence are passed over, and `for` is not waited for.

              plimsoll check --rules rules.yaml
              plimsoll check --rules rules.yaml -l pool=gpu -o junit > report.xml

            Ends with 0 when nothing as bad as --fail-on was found, 1 when something was or the cluster \
            could not be read, 2 where the file is not sound.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, junit }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var selectors: SelectorOptions
    @OptionGroup var detection: DetectionOptions
    @OptionGroup var kubelet: KubeletOptions

    @Option(help: ArgumentHelp("The rules.", valueName: "file"), completion: .file())
    var rules: String

    @Option(name: .shortAndLong, help: "How to write it.")
    var output = Format.text

    @Option(help: "What is less bad lets it end with 0 all the same.")
    var failOn = Rule.Severity.warning

    func run() async throws {
        let file = try RulesOption.read(rules)
        let client = try connection.client(limits.decodingLimits)
        let nodes = try await ClusterSnapshot.nodes(
            client, selectors.nodes, labels: file.furtherLabels)
        var readings: [String: ImageFileSystem] = [:]
        if let kubelets = kubelet.kubelets(client), !nodes.isEmpty {
            readings = try await ImageFileSystems.read(nodes.map(\.name), kubelets)
        }
        let name = client.configuration.contextName
        let check = RuleCheck(
            file.rules, nodes, readings: readings, cluster: name, cap: detection.options.cap)
        switch output {
        case .text: write(check, name, nodes.count)
        case .json:
            for alert in check.results.flatMap(\.alerts) {
                Output.line(AlertFormat.json.line(alert))
            }
        case .junit: Output.text(JUnitReport(check, cluster: name, failOn).text)
        }
        let isBad = check.results.contains { result in
            !result.alerts.isEmpty && result.rule.severity >= failOn
        }
        if isBad { throw ExitCode.failure }
    }

    private func write(_ check: RuleCheck, _ cluster: String, _ nodes: Int) {
        for result in check.results {
            let name = result.rule.name
            if let objection = result.objection {
                Output.line("skip  \(name)  \(objection)")
            } else if result.alerts.isEmpty {
                Output.line("ok    \(name)  \(NumberText.grouped(result.nodeCount)) nodes")
            }
            for alert in result.alerts {
                let word = result.rule.severity >= failOn ? "FAIL" : "note"
                Output.line("\(word)  \(name)  \(alert.severity)  \(alert.summary)")
            }
        }
        let found = check.results.reduce(0) { $0 + $1.alerts.count }
        Talk.say(
            "\(cluster) · \(NumberText.grouped(nodes)) nodes, "
                + "\(check.results.count) rules, \(NumberText.grouped(found)) finding\(found == 1 ? "" : "s")"
        )
    }
}

/// The form that CI systems show: a test for each rule, a failure for each finding that is bad enough.
struct JUnitReport {
    let text: String

    init(_ check: RuleCheck, cluster: String, _ least: Rule.Severity) {
        let failures = check.results.filter { $0.rule.severity >= least }
            .reduce(0) { $0 + $1.alerts.count }
        let skipped = check.results.count { $0.objection != nil }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text +=
            "<testsuite name=\"plimsoll check \(Self.escaped(cluster))\" "
            + "tests=\"\(check.results.count)\" failures=\"\(failures)\" errors=\"0\" "
            + "skipped=\"\(skipped)\">\n"
        for result in check.results {
            text +=
                "  <testcase classname=\"\(Self.escaped(cluster))\" "
                + "name=\"\(Self.escaped(result.rule.name))\">\n"
            if let objection = result.objection {
                text += "    <skipped message=\"\(Self.escaped(objection))\"/>\n"
            }
            for alert in result.alerts {
                if result.rule.severity < least {
                    text += "    <system-out>\(Self.escaped(alert.summary))</system-out>\n"
                    continue
                }
                text +=
                    "    <failure type=\"\(alert.severity)\" "
                    + "message=\"\(Self.escaped(alert.summary))\"/>\n"
            }
            text += "  </testcase>\n"
        }
        self.text = text + "</testsuite>\n"
    }

    /// Names come from the cluster. What XML cannot hold becomes a question mark.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r": result += " "
            default:
                let isAllowed =
                    scalar.value >= 0x20 && scalar.value != 0xfffe && scalar.value != 0xffff
                result.unicodeScalars.append(isAllowed ? scalar : "?")
            }
        }
        return result
    }
}
