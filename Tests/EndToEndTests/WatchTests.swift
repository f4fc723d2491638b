import Foundation
import TestSupport
import Testing

/// What a script reads of an alert.
private struct AlertLine: Decodable {
    struct Named: Decodable { var name: String }
    struct Storage: Decodable {
        var bytes: Int?
        var images: Int
    }
    struct Image: Decodable {
        var name: String
        var sizeBytes: Int
    }
    var id: String
    var node: Named
    var cluster: Named
    var previous: Storage
    var current: Storage
    var deltaBytes: Int?
    var added: [Image]
    var removed: [Image]
    var classification: String
}

/// What a script reads of the statistics.
private struct StatisticsLine: Decodable {
    var nodes: Int
    var events: Int
    var changes: Int
    var alerts: Int
    var bytes: Int
    var initialSync: String?
    var cpuSeconds: Double
    var maxRSSBytes: Int
    var reconnects: Int
    var relists: Int
}

@Suite("plimsoll watch", .timeLimit(.minutes(Patience.minutes)))
struct WatchTests {
    private func alerts(_ output: String) throws -> [AlertLine] {
        try output.split(separator: "\n").map {
            try JSONDecoder().decode(AlertLine.self, from: Data($0.utf8))
        }
    }

    private func statistics(_ errors: String) throws -> StatisticsLine {
        let line = try #require(errors.split(separator: "\n").last { $0.hasPrefix("{") })
        return try JSONDecoder().decode(StatisticsLine.self, from: Data(line.utf8))
    }

    /// A watch with JSON alerts that has synced.
    private func watch(
        _ simulator: SimulatorProcess, _ more: [String] = []
    ) async throws -> Program {
        let program = try Program(
            "plimsoll",
            ["watch", "--kubeconfig", simulator.kubeconfig, "-o", "json", "--stats"] + more)
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        return program
    }

    @Test func `goes on from a checkpoint: what changed in between is told once`() async throws {
        let folder = try TemporaryFolder()
        let simulator = try await SimulatorProcess(["--nodes", "4", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let options = ["--checkpoint", folder.path + "/known", "--cluster-name", "prod"]
        func stop(_ program: Program) async throws -> Program.Result {
            program.signal(SIGTERM)
            let result = try await program.result()
            #expect(result.status == 0, "\(result.errors)")
            return result
        }
        let first = try await stop(try await watch(simulator, options))
        #expect(try statistics(first.errors).initialSync == "watchList")

        let node = try await simulator.nodes()[0].name
        try await simulator.command("pull", node, "example.org/meanwhile:1", "10MB")
        let program = try await watch(simulator, options)
        try await program.wait(for: "alert") { program.output.contains("meanwhile") ? true : nil }
        let second = try await stop(program)
        #expect(try statistics(second.errors).initialSync == "checkpoint")
        let told = try alerts(second.output)
        #expect(told.count == 1 && told[0].deltaBytes == 10_000_000)
        #expect(told[0].cluster.name == "prod" && told[0].classification == "pull")

        let third = try await stop(try await watch(simulator, options))
        #expect(third.output == "")

        try await simulator.command("pull", node, "example.org/again:1", "10MB")
        try folder.write("known", "nothing\n")
        let fourth = try await stop(try await watch(simulator, options))
        #expect(fourth.errors.contains("the checkpoint is not used: it is no checkpoint"))
        #expect(fourth.output == "" && folder.read("known.unused") == "nothing\n")
    }

    @Test func `turns pulls, swaps and removals into alerts, and nothing else`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "4", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let program = try await watch(simulator)
        let nodes = try await simulator.nodes()
        let (first, second) = (nodes[0].name, nodes[1].name)

        try await simulator.command("heartbeats", "1000")
        try await simulator.command("reorder", first)
        try await simulator.command("compact")
        try await program.wait(for: "relist") {
            program.errors.contains("listed again") ? true : nil
        }
        // One after the other: what happens to a node within one batch is told as one change.
        func waitForAlerts(_ count: Int) async throws {
            try await program.wait(for: "\(count) alerts") {
                program.output.split(separator: "\n").count >= count ? true : nil
            }
        }
        try await simulator.command("pull", first, "shop/cart:v2", "212MB")
        try await waitForAlerts(1)
        try await simulator.command("retag", first, "shop/cart:v2", "shop/cart:stable")
        try await simulator.command("lose-images", second)
        try await simulator.command("swap", first, "shop/cart:stable", "shop/basket:v1")
        try await waitForAlerts(2)
        try await simulator.command("remove", first, "shop/basket:v1")
        try await waitForAlerts(3)
        program.signal(SIGTERM)
        let result = try await program.result()
        #expect(result.status == 0)

        let alerts = try alerts(result.output)
        #expect(alerts.map(\.classification) == ["pull", "replace", "gc"])
        #expect(alerts.map(\.deltaBytes) == [212_000_000, 0, -212_000_000])
        #expect(alerts.allSatisfy { $0.node.name == first && $0.cluster.name == "simulated" })
        #expect(alerts[0].added.map(\.name) == ["shop/cart:v2"])
        #expect(alerts[0].added.map(\.sizeBytes) == [212_000_000])
        #expect(alerts[0].previous.bytes == nodes[0].imageBytes)
        #expect(alerts[0].current.images == nodes[0].imageCount + 1)
        #expect(alerts[1].removed.map(\.name) == ["shop/cart:stable"])
        #expect(alerts[1].added.map(\.name) == ["shop/basket:v1"])
        #expect(Set(alerts.map(\.id)).count == 3)

        let statistics = try statistics(result.errors)
        #expect(statistics.alerts == 3 && statistics.relists == 1 && statistics.nodes == 4)
        #expect(statistics.events > 1000)
    }

    @Test func `tells exactly once of a change made while the stream was cut`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let program = try await watch(simulator)
        let nodes = try await simulator.nodes()
        // The first attempt to resume fails, so that there is time.
        try await simulator.command("fault", "watch", "status=503")
        try await simulator.command("cut")
        try await simulator.command("pull", nodes[0].name, "shop/cart:v2", "5MB")
        try await simulator.command("delete-node", nodes[2].name)
        try await program.wait(for: "resumption") {
            program.errors.contains("nothing missed") ? true : nil
        }
        try await program.wait(for: "alert") { program.output.isEmpty ? nil : true }
        try await Task.sleep(for: .milliseconds(300))
        program.signal(SIGINT)
        let result = try await program.result()
        #expect(result.status == 130)
        #expect(try alerts(result.output).map(\.node.name) == [nodes[0].name])
        let statistics = try statistics(result.errors)
        // The deletion was found too.
        #expect(statistics.nodes == 2 && statistics.changes == 2 && statistics.relists == 0)
        #expect(statistics.reconnects >= 1)
    }

    @Test func `syncs 5,000 nodes in little memory`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "5000"])
        defer { simulator.stop() }
        let result = try await Program.run(
            "plimsoll",
            ["watch", "--kubeconfig", simulator.kubeconfig, "--until-synced", "--stats"])
        #expect(result.status == 0)
        #expect(result.output.isEmpty)
        let statistics = try statistics(result.errors)
        #expect(statistics.nodes == 5000)
        #expect(statistics.initialSync == "watchList")
        #expect(statistics.maxRSSBytes < 40_000_000)
    }

    @Test func `writes text and logfmt, selects, and stops in time`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let nodes = try await simulator.nodes()
        let program = try Program(
            "plimsoll",
            [
                "watch", "--config", simulator.kubeconfig, "-o", "logfmt", "--for", "8s",
                "--field-selector", "metadata.name=\(nodes[1].name)",
            ])
        try await program.wait(for: "sync") { program.errors.contains("1 node in ") ? true : nil }
        let labels = try await Program.run(
            "plimsoll",
            [
                "watch", "--kubeconfig", simulator.kubeconfig, "--until-synced", "-l",
                "topology.kubernetes.io/zone in (us-west-2a,us-west-2b)",
            ])
        #expect(labels.errors.contains("2 nodes in "))
        try await simulator.command("pull", nodes[0].name, "a:1", "5MB")
        try await simulator.command("pull", nodes[1].name, "b:1", "5MB")
        let result = try await program.result()
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("node=\(nodes[1].name) ") == true)
        #expect(lines.first?.contains(" added=b:1 ") == true)
    }

    @Test func `ends quietly when nobody reads the alerts`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--changes-per-minute", "600"])
        defer { simulator.stop() }
        let result = try await Program.run(
            "bash",
            [
                "-c",
                "\"$0\" watch --kubeconfig \"$1\" | head -n 1; echo \"${PIPESTATUS[0]}\"",
                Checkout.products.appending(path: "plimsoll").path, simulator.kubeconfig,
            ], deadline: .seconds(30))
        #expect(result.output.hasSuffix("\n0\n"))
    }

    @Test func `demo shows alerts and leaves nothing behind`() async throws {
        let result = try await Program.run(
            "plimsoll",
            ["demo", "--for", "3s", "--changes-per-minute", "300", "-o", "json", "--stats"])
        #expect(result.status == 0)
        #expect(try alerts(result.output).count > 3)
        let path = try #require(
            result.errors.split(separator: " ").last { $0.contains("kubeconfig\n") })
        let kubeconfig = String(path.prefix { $0 != "\n" })
        #expect(!FileManager.default.fileExists(atPath: kubeconfig))
    }
}

@Suite("plimsoll watch: bad input", .timeLimit(.minutes(Patience.minutes)))
struct WatchFailureTests {
    private func expectFailure(
        _ arguments: [String], _ words: String, environment: [String: String] = [:],
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await Program.run(
            "plimsoll", ["watch"] + arguments, environment: environment, deadline: .seconds(60))
        #expect(result.status == 1, sourceLocation: location)
        #expect(result.output.isEmpty, sourceLocation: location)
        #expect(result.errors.contains(words), "\(result.errors)", sourceLocation: location)
        let last = result.errors.split(separator: "\n").last ?? ""
        #expect(last.hasPrefix("Error: "), "\(result.errors)", sourceLocation: location)
    }

    private func kubeconfig(
        _ simulator: SimulatorProcess, _ change: (String) -> String
    ) throws -> String {
        let text = try String(contentsOfFile: simulator.kubeconfig, encoding: .utf8)
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).kubeconfig")
        try change(text).write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    @Test func `says what is wrong with the kubeconfig`() async throws {
        try await expectFailure(
            ["--kubeconfig", "/nowhere/config"],
            "cannot open /nowhere/config: No such file or directory")
        let broken = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml")
        try "clusters: [".write(to: broken, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: broken) }
        try await expectFailure(["--kubeconfig", broken.path], "\(broken.path), line 2: ")
        try await expectFailure(
            [], "no kubeconfig: ", environment: ["HOME": "/nowhere", "KUBECONFIG": ""])
    }

    @Test func `ends at once where only the user can help`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        try await expectFailure(
            ["--kubeconfig", simulator.kubeconfig, "--context", "prod"],
            "context \"prod\" does not exist; there is simulated")
        let token = try simulator.access().token
        let wrong = try kubeconfig(simulator) { $0.replacingOccurrences(of: token, with: "wrong") }
        try await expectFailure(["--kubeconfig", wrong], "the server says 401: Unauthorized")
        try await simulator.command("fault", "watch", "status=403")
        try await expectFailure(
            ["--kubeconfig", simulator.kubeconfig],
            "It needs the verbs list and watch on nodes")
        try await simulator.command("fault", "watch", "html")
        try await expectFailure(
            ["--kubeconfig", simulator.kubeconfig], "does not answer like a kube-apiserver")
        let other = try await SimulatorProcess(["--nodes", "1"], beside: simulator)
        defer { other.stop() }
        let authority = try kubeconfig(simulator) { text in
            let port = (try? other.access().server) ?? ""
            return text.replacingOccurrences(
                of: (try? simulator.access().server) ?? "?", with: port)
        }
        try await expectFailure(["--kubeconfig", authority], "is not trusted: ")
    }

    @Test func `gives up a server that is away when the time is over`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let away = try kubeconfig(simulator) { text in
            text.replacingOccurrences(
                of: (try? simulator.access().server) ?? "?", with: "https://127.0.0.1:1")
        }
        try await expectFailure(
            ["--kubeconfig", away, "--for", "2s"],
            "the list of nodes never came: cannot reach https://127.0.0.1:1: ")
    }

    @Test(arguments: [
        ["-o", "xml"], ["--for", "0s"], ["--for", "soon"], ["--node-status-max-images", "0"],
        ["extra"],
    ])
    func `ends with 2 on wrong usage`(arguments: [String]) async throws {
        let result = try await Program.run("plimsoll", ["watch"] + arguments)
        #expect(result.status == 2)
        #expect(result.errors.contains("Error: "))
    }
}
