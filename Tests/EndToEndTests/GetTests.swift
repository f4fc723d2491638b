import Foundation
import KubeClient
import TestSupport
import Testing

@Suite("plimsoll get", .timeLimit(.minutes(Patience.minutes)))
struct GetTests {
    private func get(
        _ simulator: SimulatorProcess, _ arguments: String...
    ) async throws -> Program.Result {
        try await Program.run(
            "plimsoll", ["get", "--kubeconfig", simulator.kubeconfig] + arguments)
    }

    private func items(_ text: String) throws -> [[String: Any]] {
        let list = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return try #require(list?["items"] as? [[String: Any]])
    }

    @Test func `says of 5,000 nodes what kubectl says`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "5000", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let ours = try await get(simulator, "-o", "json")
        let raw = try await Program.run(
            "kubectl", ["--kubeconfig", simulator.kubeconfig, "get", "--raw", "/api/v1/nodes"],
            environment: ["HOME": FileManager.default.temporaryDirectory.path])
        let mine = try items(ours.output).map { node in
            let images = (node["images"] as? [[String: Any]] ?? []).map {
                "\($0["names"] as? [String] ?? [])=\($0["sizeBytes"] as? Int ?? -1)"
            }
            return "\(node["name"] ?? "") \(node["uid"] ?? "") \(node["resourceVersion"] ?? "") "
                + "\(node["imageBytes"] ?? "") \(node["imageCount"] ?? "") \(images)"
        }
        let theirs = try items(raw.output).map { node in
            let metadata = node["metadata"] as? [String: Any] ?? [:]
            let list = (node["status"] as? [String: Any])?["images"] as? [[String: Any]] ?? []
            let images = list.map {
                "\($0["names"] as? [String] ?? [])=\($0["sizeBytes"] as? Int ?? -1)"
            }
            let total = list.reduce(0) { $0 + ($1["sizeBytes"] as? Int ?? 0) }
            return "\(metadata["name"] ?? "") \(metadata["uid"] ?? "") "
                + "\(metadata["resourceVersion"] ?? "") \(total) \(list.count) \(images)"
        }
        #expect(mine.count == 5000)
        #expect(mine == theirs)
    }

    @Test func `asks the kubelets what images really take`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "3", "--kubelets", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let result = try await get(simulator, "--image-fs", "-o", "json")
        #expect(result.status == 0, "\(result.errors)")
        for node in try items(result.output) {
            let reported = try #require(node["imageBytes"] as? Int)
            let imageFS = try #require(node["imageFs"] as? [String: Any])
            // Unpacked, with what containers wrote.
            #expect(try #require(imageFS["usedBytes"] as? Int) > 2 * reported)
            #expect(imageFS["capacityBytes"] as? Int == node["capacityBytes"] as? Int)
        }
        let table = try await get(simulator, "--image-fs")
        #expect(table.output.split(separator: "\n")[0].hasSuffix("IMAGEFS   FULL"))

        // Only over certificates that can be trusted, and with the right to it.
        let other = try await SimulatorProcess(["--nodes", "1"], beside: simulator)
        defer { other.stop() }
        let authority = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).pem")
        try other.access().authority.write(to: authority, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: authority) }
        let strange = try await get(
            simulator, "--image-fs", "--kubelet-certificate-authority", authority.path)
        #expect(strange.status == 1 && strange.errors.contains("kubelet of node ip-"))
        #expect(
            try await get(
                simulator, "--image-fs", "--kubelet-insecure-skip-tls-verify"
            ).status == 0)
        let reader = try await get(simulator, "--image-fs", "--as", "reader")
        // Kubelets know nothing of impersonation: the token counts.
        #expect(reader.status == 0)
    }

    @Test func `takes a shard`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "40", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        var names: [Substring] = []
        for number in 1...4 {
            let part = try await get(simulator, "--shard", "\(number)/4", "-o", "name")
            #expect(part.status == 0)
            let own = part.output.split(separator: "\n")
            #expect((1...25).contains(own.count))
            names += own
        }
        #expect(Set(names).count == 40 && names.count == 40)
        let wrong = try await get(simulator, "--shard", "5/4")
        #expect(wrong.status == 2 && wrong.errors.contains("--shard"))
    }

    @Test func `writes tables, names and CSV, sorted, and one node by name`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "4", "--profile", "eks,aks", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let nodes = try await simulator.nodes().sorted {
            ($0.imageBytes ?? 0) > ($1.imageBytes ?? 0)
        }
        try await simulator.command("cordon", nodes[0].name)
        try await simulator.command("lose-images", nodes[1].name)

        var lines = try await get(simulator, "--sort-by", "storage").output.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(
            lines[0].split(separator: " ") == [
                "NAME", "IMAGES", "IMAGE-STORAGE", "CAPACITY",
                "%", "STATE",
            ])
        #expect(lines[1].hasPrefix(nodes[0].name) && lines[1].contains("≥ "))
        #expect(lines[1].hasSuffix("Ready,SchedulingDisabled"))
        // What is unknown comes last and is no zero.
        #expect(lines[4].hasPrefix(nodes[1].name) && lines[4].contains("–"))

        let names = try await get(simulator, "-o", "name", nodes[2].name).output
        #expect(names == "node/\(nodes[2].name)\n")
        lines = try await get(simulator, "-o", "csv").output.split(separator: "\n")
        #expect(lines.count == 5 && lines[0].hasPrefix("name,uid,imageCount,imageBytes,"))
        let unknown = try await get(simulator, nodes[1].name, "-o", "json").output
        #expect(try items(unknown)[0]["imageBytes"] is NSNull)

        let missing = try await get(simulator, nodes[2].name, "nope", "-o", "name")
        #expect(missing.status == 1)
        #expect(missing.output == names)
        #expect(missing.errors == "Error: node \"nope\" not found\n")
        let selected = try await get(
            simulator, "--field-selector", "spec.unschedulable=true", "-o", "name")
        #expect(selected.output == "node/\(nodes[0].name)\n")
        #expect(try await get(simulator, "x", "-l", "a=b").status == 2)
    }

    @Test func `writes YAML that means the same as its JSON`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let json = try await get(simulator, "-o", "json")
        let yaml = try await get(simulator, "-o", "yaml")
        #expect(try YAML(Array(yaml.output.utf8)).json == YAML(Array(json.output.utf8)).json)
    }

    @Test func `ends at once, with the reason, when the server is away`() async throws {
        let result = try await Program.run(
            "plimsoll", ["get", "--server", "https://127.0.0.1:1", "--token", "secret"],
            environment: ["HOME": "/nowhere", "KUBECONFIG": ""], deadline: .seconds(50))
        #expect(result.status == 1)
        #expect(result.errors.hasPrefix("Error: cannot reach https://127.0.0.1:1: "))
        #expect(!result.errors.contains("secret"))
    }

    @Test func `shows every change after the list with --watch`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let nodes = try await simulator.nodes().map(\.name)
        let arguments = ["get", "--kubeconfig", simulator.kubeconfig, "--watch"]
        let table = try Program("plimsoll", arguments)
        let objects = try Program("plimsoll", arguments + ["-o", "json", nodes[0]])
        try await table.wait(for: "table") { table.output.contains(nodes[2]) ? true : nil }
        try await objects.wait(for: "object") { objects.output.contains("\n") ? true : nil }
        try await simulator.command("heartbeats", "6")
        try await simulator.command("cordon", nodes[0])
        // What happens to a node within one batch is told as one change.
        for program in [table, objects] {
            try await program.wait(for: "cordon") {
                program.output.contains("SchedulingDisabled") ? true : nil
            }
        }
        try await simulator.command("pull", nodes[1], "nginx:1", "10GB")
        try await table.wait(for: "pull") {
            table.output.components(separatedBy: nodes[1]).count > 2 ? true : nil
        }
        try await simulator.command("delete-node", nodes[0])
        try await table.wait(for: "deletion") { table.output.contains("Deleted") ? true : nil }
        try await objects.wait(for: "deletion") { objects.output.contains("Deleted") ? true : nil }
        let lines = table.output.split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        #expect(lines.map(\.first) == ["NAME"] + nodes + [nodes[0], nodes[1], nodes[0]])
        #expect(lines[4].last == "Ready,SchedulingDisabled")
        #expect(lines[6].last == "Deleted")
        let states = try objects.output.split(separator: "\n").map { line in
            (try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["state"]
                as? String
        }
        #expect(states == ["Ready", "Ready,SchedulingDisabled", "Deleted"])
        for program in [table, objects] { program.signal(SIGINT) }
    }

    @Test func `says once, with --watch too, what only the user can mend`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let result = try await get(simulator, "--watch", "--as", "nobody")
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("Error: the server says 403: "))
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
}
