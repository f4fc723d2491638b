import Foundation
import TestSupport
import Testing

/// A receiver in a process of its own, that checks what it is told. It is started after the simulator,
/// which waits for its turn.
private final class Receiver: Sendable {
    let program: Program
    let port: Int

    init(failures: Int = 0, seed: Int = 1, secrets: [String] = []) async throws {
        program = try Program(
            "python3",
            [
                Checkout.root.appending(path: "Tests/Clients/receiver.py").path, "\(seed)",
                "\(failures)",
            ] + secrets,
            environment: [
                "PYTHONPATH": Checkout.root.appending(path: ".build-tools/python").path
            ])
        let program = program
        port = try await program.wait(for: "port") {
            program.output.split(separator: "\n").first.flatMap { Int($0) }
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// What came and was sound, and what was wrong with the rest.
    func received() throws -> (bodies: [(path: String, body: [String: Any])], wrong: [String]) {
        var bodies: [(String, [String: Any])] = []
        var wrong: [String] = []
        // The last one may be on its way.
        let lines = program.output.split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines.dropFirst().dropLast() {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let entry = try #require(object)
            let path = try #require(entry["path"] as? String)
            let fault = try #require(entry["wrong"] as? String)
            if fault.isEmpty {
                bodies.append((path, try #require(entry["body"] as? [String: Any])))
            } else {
                wrong.append("\(path): \(fault)")
            }
        }
        return (bodies, wrong)
    }
}

@Suite("Sinks", .timeLimit(.minutes(Patience.minutes)))
struct SinkTests {
    private let folder: TemporaryFolder
    private static let secret = "whsec_" + Data((0..<32).map { UInt8($0) }).base64EncodedString()
    private static let next = "whsec_" + Data((32..<64).map { UInt8($0) }).base64EncodedString()

    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String, _ name: String) throws -> String {
        let path = folder.path + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func rules(_ receiver: Receiver, wait: String = "0s") throws -> String {
        let url = receiver.url
        return try write(
            """
            rules:
              - {name: changed, type: storage-changed}
              - {name: big, type: big-image, over: 1GiB, severity: critical, runbook_url: "https://example.com/r"}
              - {name: pressure, type: disk-pressure, for: 0s, labels: {team: ml}}
            grouping: {wait: \(wait), interval: 2s}
            sinks:
              - {name: chat, type: slack, url: {file: \(try write(url + "/slack\n", "slack"))}}
              - {name: teams, type: teams, url: {env: TEAMS_URL}, min_severity: warning}
              - name: pager
                type: pagerduty
                url: \(url)/pager
                routing_key: {file: \(try write("0123456789abcdef0123456789abcdef", "key"))}
              - {name: hook, type: webhook, url: "\(url)/webhook"}
              - name: signed
                type: webhook
                url: \(url)/signed
                secret: [{file: \(try write(Self.next, "next"))}, {file: \(try write(Self.secret, "old"))}]
              - {name: events, type: webhook, url: "\(url)/cloudevents", body: cloudevents}
            """, "rules.yaml")
    }

    @Test func `are told in the forms that are published, and signed`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let receiver = try await Receiver(secrets: [Self.secret, Self.next])
        let program = try Program(
            "plimsoll",
            [
                "watch", "--kubeconfig", simulator.kubeconfig, "--rules", try rules(receiver), "-o",
                "json",
            ], environment: ["TEAMS_URL": receiver.url + "/teams"])
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        let node = try await simulator.nodes()[0].name
        try await simulator.command("pull", node, "<script>&.example.org/app:1", "2GiB")
        try await simulator.command("disk-pressure", node, "on")
        try await Task.sleep(for: .milliseconds(300))
        try await simulator.command("disk-pressure", node, "off")
        func count(_ path: String) throws -> Int {
            try receiver.received().bodies.count { $0.path == path }
        }
        // A change, a big image, the pressure, its end.
        let expected = [
            "/slack": 4, "/webhook": 4, "/signed": 4, "/cloudevents": 4, "/teams": 3,
            "/pager/v2/enqueue": 3, "/pager/v2/change/enqueue": 1,
        ]
        _ = try? await program.wait(for: "all messages", within: .seconds(30)) {
            try expected.allSatisfy { try count($0.key) >= $0.value } ? true : nil
        }
        program.signal(SIGTERM)
        _ = try await program.result()
        let (bodies, wrong) = try receiver.received()
        #expect(wrong == [])
        for (path, count) in expected {
            #expect(bodies.count { $0.path == path } == count, "\(path)")
        }

        let pages = bodies.filter { $0.path == "/pager/v2/enqueue" }.map(\.body)
        let resolve = try #require(pages.first { $0["event_action"] as? String == "resolve" })
        #expect(pages.count { $0["dedup_key"] as? String == resolve["dedup_key"] as? String } == 2)
        // The same ids as on standard output, and what is markup elsewhere is text.
        let printed = Set(
            program.output.split(separator: "\n").compactMap {
                (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["id"]
                    as? String
            })
        let told = Set(
            bodies.filter { $0.path == "/webhook" }.compactMap { $0.body["id"] as? String })
        #expect(printed == told && told.count == 4)
        let chat = bodies.filter { $0.path == "/slack" }.map { "\($0.body)" }.joined()
        #expect(chat.contains("&lt;script&gt;&amp;.example.org") && !chat.contains("<script>"))
        // Nobody learns a secret.
        #expect(!(program.errors + program.output).contains("0123456789abcdef0123456789abcdef"))
    }

    @Test func `hear of a rollout in a handful of messages, and programs of each alert`()
        async throws
    {
        let simulator = try await SimulatorProcess(["--nodes", "120", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let receiver = try await Receiver()
        let program = try Program(
            "plimsoll",
            [
                "watch", "--kubeconfig", simulator.kubeconfig, "--rules",
                try rules(receiver, wait: "2s"),
            ], environment: ["TEAMS_URL": receiver.url + "/teams"])
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        for node in try await simulator.nodes() {
            try await simulator.command("pull", node.name, "example.org/shop/cart:v2", "412MB")
        }
        func messages() throws -> [[String: Any]] {
            try receiver.received().bodies.filter { $0.path == "/webhook" }.map(\.body)
        }
        try await program.wait(for: "all nodes", within: .seconds(30)) {
            try messages().reduce(0) { $0 + ($1["nodeCount"] as? Int ?? 0) } == 120 ? true : nil
        }
        program.signal(SIGTERM)
        _ = try await program.result()
        let all = try messages()
        #expect((1...12).contains(all.count))
        let alerts = all.flatMap { $0["alerts"] as? [[String: Any]] ?? [] }
        #expect(Set(alerts.compactMap { $0["id"] as? String }).count == 120)
        let largest = all.compactMap { $0["summary"] as? String }.max { $0.count < $1.count } ?? ""
        #expect(largest.contains("image example.org/shop/cart:v2 on "))
        #expect(largest.contains("+393 MiB each, +"))
        #expect(try receiver.received().wrong == [])
    }

    @Test func `that fail are told again, and delay no other`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let receiver = try await Receiver(failures: 60, seed: 7)
        let file = try write(
            """
            rules: [{name: changed, type: storage-changed}]
            grouping: {wait: 0s}
            sinks:
              - {name: dead, type: webhook, url: "http://127.0.0.1:9/"}
              - {name: hook, type: webhook, url: "\(receiver.url)/webhook"}
            """, "rules.yaml")
        let program = try Program(
            "plimsoll", ["watch", "--kubeconfig", simulator.kubeconfig, "--rules", file])
        try await program.wait(for: "sync") { program.errors.contains(" node in ") ? true : nil }
        let node = try await simulator.nodes()[0].name
        for number in 1...4 {
            try await simulator.command("pull", node, "app:\(number)", "1MB")
            try await Task.sleep(for: .milliseconds(150))
        }
        func names() throws -> [String] {
            try receiver.received().bodies.map { _, body in
                let alert = (body["alerts"] as? [[String: Any]])?.first
                return ((alert?["added"] as? [[String: Any]])?.first?["name"] as? String) ?? ""
            }
        }
        try await program.wait(for: "all four") { try names().count == 4 ? true : nil }
        // In order, for all that failed.
        #expect(try names() == (1...4).map { "app:\($0)" })
        #expect(program.errors.contains("sink dead: 127.0.0.1:9: "))
        program.signal(SIGTERM)
        let result = try await program.result()
        #expect(result.errors.contains("sink dead: 4 alerts not delivered"))
    }

    @Test func `sinks test tells each once, and says who did not take it`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let receiver = try await Receiver(secrets: [Self.secret, Self.next])
        let node = try await simulator.nodes()[0].name
        let file = try rules(receiver)
        let good = try await Program.run(
            "plimsoll", ["sinks", "test", file],
            environment: ["TEAMS_URL": receiver.url + "/teams"])
        #expect(good.status == 0, "\(good.output)\(good.errors)")
        #expect(good.output.split(separator: "\n").count == 6)
        #expect(try receiver.received().wrong == [])
        let bad = try await Program.run("plimsoll", ["sinks", "test", file])
        #expect(bad.status == 1)
        #expect(bad.output.contains("FAIL  teams  the environment variable TEAMS_URL is empty"))

        let events = try write(
            "rules: [{name: a, type: disk-pressure}]\nsinks: [{name: ev, type: kubernetes-event}]\n",
            "events.yaml")
        let event = try await Program.run(
            "plimsoll",
            ["sinks", "test", events, "--kubeconfig", simulator.kubeconfig, "--node", node])
        #expect(event.status == 0, "\(event.output)\(event.errors)")
        let described = try await Program.run(
            "kubectl", ["--kubeconfig", simulator.kubeconfig, "describe", "node", node],
            environment: ["HOME": folder.path])
        #expect(described.output.contains("this is a test; nothing is wrong"))
        #expect(described.output.contains("Warning") && described.output.contains("plimsoll"))
    }

    @Test func `with mistakes are told with line and column, and no secret is repeated`()
        async throws
    {
        let file = try write(
            """
            rules: [{name: a, type: disk-pressure}]
            silences:
              - {until: tomorrow}
            sinks:
              - {name: chat, type: slack, url: "https://hooks.slack.com/services/T0/B0/hush"}
              - {name: pager, type: pagerduty}
              - {name: hook, type: webhook, url: "ftp://x", secrt: {file: x}}
              - {name: am, type: alertmanagr, urls: ["http://x"]}
            """, "rules.yaml")
        let result = try await Program.run("plimsoll", ["rules", "validate", file])
        #expect(result.status == 2)
        for words in [
            ":3:13: \"until\" of a silence: \"tomorrow\" is no time such as",
            ":5:36: \"url\" of sink \"chat\" is a secret; put it in a file or the environment",
            ":6:5: sink \"pager\" lacks \"routing_key\"",
            ":7:38: \"url\" of sink \"hook\": no URL",
            ":7:49: sink \"hook\" has no \"secrt\"; did you mean \"secret\"?",
            ":8:22: sink \"am\": there is no type \"alertmanagr\"; did you mean \"alertmanager\"?",
        ] {
            #expect(result.errors.contains(words), "\(words) in \(result.errors)")
        }
        #expect(!result.errors.contains("hush"))
    }
}

@Suite("Alertmanager", .timeLimit(.minutes(Patience.minutes)))
struct AlertmanagerTests {
    /// A real one, with nobody to tell.
    private func start(_ folder: TemporaryFolder) async throws -> (program: Program, url: String) {
        let configuration = folder.path + "/alertmanager.yml"
        try "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n".write(
            toFile: configuration, atomically: true, encoding: .utf8)
        // It says which port it took only in its log.
        // It looks for its templates in the current folder.
        let tools = Checkout.root.appending(path: ".build-tools").path
        let program = try Program(
            "sh",
            [
                "-c",
                "cd \(tools)/alertmanager && exec ../bin/prometheus-alertmanager "
                    + "--config.file=\(configuration) --storage.path=\(folder.path) "
                    + "--web.listen-address=127.0.0.1:0 --cluster.listen-address=",
            ])
        let address = try await program.wait(for: "port") {
            program.errors.firstMatch(of: /address=(127\.0\.0\.1:[1-9][0-9]*)/)?.output.1
        }
        return (program, "http://\(address)")
    }

    @Test func `has what lasts until it is over, and what is told once for a while`() async throws {
        let folder = try TemporaryFolder()
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let (first, url) = try await start(folder)
        defer { first.signal(SIGTERM) }
        let rules = folder.path + "/rules.yaml"
        // One of the two peers is away.
        try """
        rules:
          - {name: changed, type: storage-changed}
          - {name: pressure, type: disk-pressure, for: 0s, severity: critical, labels: {team: ml}, runbook_url: "https://example.com/r"}
        sinks: [{name: am, type: alertmanager, urls: ["http://127.0.0.1:9", "\(url)/"]}]
        """.write(toFile: rules, atomically: true, encoding: .utf8)
        func watch() async throws -> Program {
            let program = try Program(
                "plimsoll",
                [
                    "watch", "--kubeconfig", simulator.kubeconfig, "--rules", rules, "--state",
                    folder.path + "/state",
                ])
            try await program.wait(for: "sync") {
                program.errors.contains(" nodes in ") || program.errors.contains(" nodes from ")
                    ? true : nil
            }
            return program
        }
        var program = try await watch()
        let node = try await simulator.nodes()[0].name
        try await simulator.command("pull", node, "nginx:1.29", "1GB")
        try await simulator.command("disk-pressure", node, "on")

        func alerts() async throws -> [[String: Any]] {
            let answer = try await Program.run("curl", ["-s", url + "/api/v2/alerts"])
            let list = try JSONSerialization.jsonObject(with: Data(answer.output.utf8))
            return try #require(list as? [[String: Any]])
        }
        func wait(_ what: String, _ isDone: ([[String: Any]]) -> Bool) async throws -> [[String:
            Any]]
        {
            let end = ContinuousClock.now + .seconds(30)
            while true {
                let found = try await alerts()
                if isDone(found) { return found }
                if ContinuousClock.now > end {
                    throw Program.TimedOut(description: "\(what): \(found) \(program.errors)")
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        func label(_ alert: [String: Any], _ name: String) -> String? {
            (alert["labels"] as? [String: String])?[name]
        }
        let both = try await wait("both") { $0.count == 2 }
        let pressure = try #require(both.first { label($0, "alertname") == "pressure" })
        #expect(label(pressure, "severity") == "critical" && label(pressure, "team") == "ml")
        #expect(label(pressure, "node") == node && label(pressure, "cluster") == "simulated")
        let annotations = try #require(pressure["annotations"] as? [String: String])
        #expect(annotations["runbook_url"] == "https://example.com/r")
        #expect(annotations["summary"]?.contains("DiskPressure") == true)
        let change = try #require(both.first { label($0, "alertname") == "changed" })
        #expect(label(change, "image") == "nginx:1.29")
        #expect(label(change, "classification") == "pull")

        // What fires does not end with who told of it: the next one goes on saying so.
        program.signal(SIGKILL)
        _ = try await program.result()
        program = try await watch()
        let told = pressure["updatedAt"] as? String
        _ = try await wait("the same again") { found in
            found.contains {
                label($0, "alertname") == "pressure" && $0["updatedAt"] as? String != told
            }
        }

        try await simulator.command("disk-pressure", node, "off")
        // What is over is listed no more.
        _ = try await wait("its end") { found in
            !found.contains { label($0, "alertname") == "pressure" }
        }
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }
}
