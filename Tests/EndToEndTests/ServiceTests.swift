import Foundation
import TestSupport
import Testing

@Suite("plimsoll run", .timeLimit(.minutes(Patience.minutes)))
struct ServiceTests {
    private let folder: TemporaryFolder
    private var file: String { folder.path + "/config.yaml" }

    init() throws { folder = try TemporaryFolder() }

    private func write(_ text: String) throws {
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    private func start(
        _ simulator: SimulatorProcess, _ arguments: String...
    ) async throws -> (program: Program, url: String) {
        let program = try Program(
            "plimsoll",
            [
                "run", "--config", file, "--kubeconfig", simulator.kubeconfig, "--listen",
                "127.0.0.1:0", "-o", "text",
            ] + arguments)
        let url = try await program.wait(for: "address") {
            program.errors.firstMatch(of: /serving (http:[0-9.:\/]*[0-9])/)?.output.1
        }
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        return (program, String(url))
    }

    private func get(_ url: String) async throws -> String {
        try await Program.run("curl", ["-s", "-m", "5", "-w", "%{http_code}", url]).output
    }

    @Test func `has every metric that the dashboard and the alerts ask for`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        try write(
            "sinks: [{name: hook, type: webhook, url: 'http://127.0.0.1:9/'}]\n"
                + "service: {leader_election: true}\n")
        let (program, url) = try await start(simulator)
        let metrics = try await Program.run("curl", ["-s", url + "/metrics"]).output
        let there = Set(metrics.matches(of: /# TYPE ([a-z_]+)/).map { String($0.output.1) })
        var asked: Set<String> = []
        for file in ["dashboard.json", "alerts.yaml"] {
            let path = Checkout.root.appending(path: "deploy/chart/files/\(file)")
            let text = try String(contentsOf: path, encoding: .utf8)
            asked.formUnion(
                text.matches(of: /\b(?:plimsoll|process)_[a-z_]+\b/).map { String($0.output) })
        }
        let missing = asked.filter { name in
            !there.contains(name) && !there.contains(name.replacing("_bucket", with: ""))
        }
        #expect(asked.count > 15 && missing.isEmpty, "\(missing.sorted())")
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }

    @Test func `goes on with another file's rules as soon as that is sound`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        try write(
            "rules: [{name: pressure, type: disk-pressure, for: 0s}]\nservice: {warm_up: 1s}\n")
        let (program, _) = try await start(simulator)
        let node = try await simulator.nodes()[0].name
        try await simulator.command("disk-pressure", node, "on")
        try await program.wait(for: "pressure") { program.output.contains("pressure") ? true : nil }
        try await simulator.command("pull", node, "example.org/a:1", "1GiB")

        try write("rules: [{name: changed, type: storage-chnged}]\n")
        try await program.wait(for: "refusal") {
            program.errors.contains("what was before goes on") ? true : nil
        }
        #expect(program.errors.contains("config.yaml:1:31: "), "\(program.errors)")
        try write("rules: [{name: changed, type: storage-changed}]\nservice: {warm_up: 2s}\n")
        try await program.wait(for: "reload") {
            program.errors.contains("1 rule and 0 sinks from now on") ? true : nil
        }
        // What lasted by a rule that is gone is over, and what had happened before is no news.
        try await program.wait(for: "end") {
            program.output.contains("the rule is gone") ? true : nil
        }
        try await simulator.command("pull", node, "example.org/b:1", "1GiB")
        try await program.wait(for: "alert") { program.output.contains("b:1") ? true : nil }
        #expect(!program.output.contains("a:1"))
        #expect(program.errors.contains("warm_up of "))
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }

    @Test func `one of several tells, whoever is killed or paused, and nothing is lost`()
        async throws
    {
        // It has a simulator of its own.
        await Gate.simulators.enter()
        defer { Gate.simulators.leave() }
        let result = try await Program.run(
            "python3",
            [
                Checkout.root.appending(path: "Tests/Clients/replicas_test.py").path,
                Checkout.products.path, "40", "3", "6s", "4s", "1s",
            ], deadline: .seconds(250))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test func `four shards together have every node once`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "200", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        try write("service: {output: none}\n")
        var shards: [(program: Program, url: String)] = []
        for number in 1...4 {
            shards.append(
                try await start(
                    simulator, "--shard", "\(number)/4", "--leader-election", "true"))
        }
        for _ in 0..<5 { try await simulator.command("add-node") }
        let names = try await simulator.nodes().map(\.name)
        try await eventually("all nodes") {
            var seen: [String] = []
            for (_, url) in shards {
                let metrics = try await Program.run("curl", ["-s", url + "/metrics"]).output
                seen += metrics.matches(of: /plimsoll_node_image_bytes\{node="([^"]+)"/).map {
                    String($0.output.1)
                }
            }
            return seen.sorted() == names.sorted()
        }
        // Each has a lease of its own: all lead.
        try await eventually("four leaders") {
            shards.allSatisfy { $0.program.errors.contains("alerts are told") }
        }
        #expect(shards[1].program.errors.contains("default/plimsoll-2-of-4"))
        for (program, _) in shards {
            program.signal(SIGTERM)
            #expect(try await program.result().status == 0)
        }
    }

    @Test func `tells Prometheus how it goes`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        try write("service: {node_series: 3}\n")
        let (program, url) = try await start(simulator)
        let node = try await simulator.nodes()[0].name
        try await simulator.command("pull", node, "example.org/a:1", "1GiB")
        try await program.wait(for: "alert") { program.output.contains("a:1") ? true : nil }
        try await simulator.command("add-node")
        let metrics = try await Program.run("curl", ["-s", url + "/metrics"]).output
        #expect(metrics.contains("\nplimsoll_watch_synced 1\n"))
        #expect(
            metrics.contains(
                "\nplimsoll_alerts_total{rule=\"image-storage-changed\",severity=\"info\",status=\"firing\"} 1\n"
            ))
        let path = folder.path + "/metrics"
        try metrics.write(toFile: path, atomically: true, encoding: .utf8)
        let tools = Checkout.root.appending(path: ".build-tools/bin").path
        let check = try await Program.run(
            "sh", ["-c", "\(tools)/promtool check metrics < \(path)"])
        #expect(check.status == 0 && check.errors.isEmpty, "\(check.output)\(check.errors)")
        try await eventually("no series of nodes beyond the limit") {
            try await !Program.run("curl", ["-s", url + "/metrics"]).output
                .contains("plimsoll_node_image_bytes{")
        }

        // A real one, which asks for OpenMetrics.
        let host = url.dropFirst("http://".count)
        try """
        global: {scrape_interval: 1s}
        scrape_configs: [{job_name: plimsoll, static_configs: [{targets: ["\(host)"]}]}]
        """.write(toFile: folder.path + "/prometheus.yml", atomically: true, encoding: .utf8)
        let port = Int.random(in: 20_000...30_000)
        let prometheus = try Program(
            "sh",
            [
                "-c",
                "exec \(tools)/prometheus --config.file=\(folder.path)/prometheus.yml "
                    + "--storage.tsdb.path=\(folder.path)/tsdb --web.listen-address=127.0.0.1:\(port)",
            ])
        defer { prometheus.signal(SIGTERM) }
        try await eventually("the number of nodes, scraped") {
            try await Program.run(
                "curl",
                [
                    "-s", "http://127.0.0.1:\(port)/api/v1/query", "--data-urlencode",
                    "query=sum(plimsoll_nodes) * on() up",
                ]
            ).output.contains("\"4\"]")
        }
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }

    @Test func `logs as JSON where nobody sees it, and says which version it is`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        try write("service: {cluster_name: prod}\n")
        let (program, url) = try await start(simulator)
        #expect(try await get(url + "/readyz") == "ok\n200")
        #expect(try await get(url + "/readyz/shutdown") == "ok\n200")
        #expect(try await get(url + "/version").hasPrefix("{\"version\":\""))
        #expect(try await get(url + "/nothing").hasSuffix("404"))
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
        for line in program.errors.split(separator: "\n") {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let fields = try #require(object)
            #expect(fields["level"] as? String == "info" && fields["message"] is String)
        }
        #expect(program.errors.contains("\"cluster\":\"prod\""))
    }

    @Test
    func `goes on trying where only the user can mend it, and does not start where it cannot`()
        async throws
    {
        let program = try Program(
            "plimsoll",
            ["run", "--server", "https://127.0.0.1:1", "--token", "x", "--listen", "127.0.0.1:0"],
            environment: ["HOME": "/nowhere", "KUBECONFIG": ""])
        try await program.wait(for: "problem") {
            program.errors.contains("cannot reach https://127.0.0.1:1") ? true : nil
        }
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
        let refused = try await Program.run(
            "plimsoll", ["run", "--listen", "x"], environment: ["PLIMSOLL_OUTPUT": "xml"])
        #expect(refused.status == 2)
        #expect(refused.errors.contains("--listen: \"x\" is no address"))
        #expect(refused.errors.contains("PLIMSOLL_OUTPUT: \"xml\" is no format"))
        let missing = try await Program.run("plimsoll", ["run", "--config", "/nowhere/c.yaml"])
        #expect(missing.status == 2 && missing.errors.contains("/nowhere/c.yaml"))
    }
}
