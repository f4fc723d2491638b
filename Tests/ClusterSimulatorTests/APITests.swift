import ClusterSimulator
import Foundation
import TestSupport
import Testing

/// Just enough of a node, a list and a watch event to see what the server said.
private struct Item: Decodable {
    struct Metadata: Decodable {
        var name: String?
        var resourceVersion: String?
        var annotations: [String: String]?
        var `continue`: String?
        var remainingItemCount: Int?
    }
    var kind: String?
    var metadata: Metadata?
    var code: Int?
    var reason: String?
    var items: [Item]?
}

private struct Event: Decodable {
    var type: String
    var object: Item
}

@Suite("Simulated API")
struct APITests {
    private func simulator(
        nodes: Int = 3, historyLimit: Int = 10_000, _ options: SimulatorServer.Options = .init()
    ) async throws -> RunningSimulator {
        var cluster = Cluster.Options()
        cluster.nodeCount = nodes
        cluster.historyLimit = historyLimit
        return try await RunningSimulator(cluster, options)
    }

    private func events(_ data: Data) throws -> [Event] {
        try String(decoding: data, as: UTF8.self).split(separator: "\n").map {
            try JSONDecoder().decode(Event.self, from: Data($0.utf8))
        }
    }

    @Test func `streams the list and its end bookmark, then what happens`() async throws {
        let simulator = try await simulator()
        defer { simulator.stop() }
        let before = simulator.server.cluster.resourceVersion
        let watch = try simulator.program(
            "/api/v1/nodes?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                + "&allowWatchBookmarks=true&timeoutSeconds=20")
        try await watch.wait(for: "the end bookmark") {
            watch.output.contains("initial-events-end") ? true : nil
        }
        simulator.server.cluster.pull(
            simulator.server.cluster.report()[0].node.name, image: "x:1", sizeBytes: 5)
        let all = try events(Data(try await watch.result().output.utf8))
        try #require(
            all.map(\.type) == ["ADDED", "ADDED", "ADDED", "BOOKMARK", "MODIFIED", "BOOKMARK"])
        #expect(all[3].object.metadata?.annotations?["k8s.io/initial-events-end"] == "true")
        #expect(all[3].object.metadata?.resourceVersion == "\(before)")
        #expect(all[5].object.metadata?.resourceVersion == "\(before + 1)")
    }

    @Test func `resumes a watch from its history and says 410 when that is gone`() async throws {
        let simulator = try await simulator(historyLimit: 5)
        defer { simulator.stop() }
        let cluster = simulator.server.cluster
        let start = cluster.resourceVersion
        cluster.heartbeats(4)
        var all = try events(
            try await simulator.get(
                "/api/v1/nodes?watch=1&resourceVersion=\(start)&timeoutSeconds=1"))
        #expect(all.map(\.type) == ["MODIFIED", "MODIFIED", "MODIFIED", "MODIFIED"])
        cluster.heartbeats(4)
        all = try events(
            try await simulator.get(
                "/api/v1/nodes?watch=1&resourceVersion=\(start)&timeoutSeconds=1"))
        try #require(all.map(\.type) == ["ERROR"])
        #expect(all[0].object.code == 410)
        #expect(all[0].object.reason == "Expired")
    }

    @Test func `pages a list at one resourceVersion`() async throws {
        let simulator = try await simulator(nodes: 5)
        defer { simulator.stop() }
        func page(_ query: String) async throws -> Item {
            try JSONDecoder().decode(
                Item.self, from: try await simulator.get("/api/v1/nodes?\(query)"))
        }
        let first = try await page("limit=3")
        simulator.server.cluster.heartbeats(5)
        let token = try #require(first.metadata?.continue)
        let second = try await page("limit=3&continue=\(token)")
        #expect(first.items?.count == 3 && first.metadata?.remainingItemCount == 2)
        #expect(second.items?.count == 2 && second.metadata?.continue == nil)
        #expect(first.metadata?.resourceVersion == second.metadata?.resourceVersion)
        simulator.server.cluster.forgetHistory()
        #expect(try await page("limit=3&continue=\(token)").code == 410)
    }

    @Test func `selects by label and field, also in a watch`() async throws {
        let simulator = try await simulator(nodes: 6)
        defer { simulator.stop() }
        let cluster = simulator.server.cluster
        let name = cluster.report()[2].node.name
        func names(_ query: String) async throws -> [String] {
            let list = try JSONDecoder().decode(
                Item.self, from: try await simulator.get("/api/v1/nodes?\(query)"))
            return (list.items ?? []).compactMap(\.metadata?.name)
        }
        #expect(try await names("fieldSelector=metadata.name%3D\(name)") == [name])
        let zone = "topology.kubernetes.io/zone"
        #expect(try await names("labelSelector=\(zone)%3Dus-west-2a").count == 2)
        #expect(try await names("labelSelector=\(zone)%20in%20(us-west-2a,us-west-2b)").count == 4)
        #expect(try await names("labelSelector=!\(zone)").count == 0)
        #expect(try await simulator.status("/api/v1/nodes?fieldSelector=spec.x%3D1") == 400)

        let start = cluster.resourceVersion
        cluster.setUnschedulable(name, true)
        cluster.heartbeats(6)
        cluster.setUnschedulable(name, false)
        let all = try events(
            try await simulator.get(
                "/api/v1/nodes?watch=1&timeoutSeconds=1&resourceVersion=\(start)"
                    + "&fieldSelector=spec.unschedulable%3Dtrue"))
        #expect(all.map(\.type) == ["ADDED", "MODIFIED", "DELETED"])
    }

    @Test func `refuses as a kube-apiserver does`() async throws {
        var options = SimulatorServer.Options()
        options.hasStreamingLists = false
        let simulator = try await simulator(options)
        defer { simulator.stop() }
        #expect(try await simulator.status("/api/v1/nodes", token: "wrong") == 401)
        #expect(
            try await simulator.status("/api/v1/nodes", token: simulator.server.options.viewerToken)
                == 403)
        #expect(try await simulator.status("/api/v1/nodes/nope") == 404)
        #expect(try await simulator.status("/api/v1/nodes?resourceVersion=banana") == 500)
        #expect(
            try await simulator.status(
                "/api/v1/nodes?resourceVersion=99999999&resourceVersionMatch=NotOlderThan") == 504)
        #expect(
            try await simulator.status(
                "/api/v1/nodes?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
                == 422)
    }
}

@Suite("kubectl on the simulator")
struct KubectlTests {
    private func kubectl(
        _ simulator: RunningSimulator, _ arguments: [String]
    ) throws -> Program {
        try Program(
            "kubectl", ["--kubeconfig", simulator.kubeconfig] + arguments,
            environment: ["HOME": FileManager.default.temporaryDirectory.path],
            deadline: .seconds(60))
    }

    @Test func `gets nodes, one node, and watches`() async throws {
        var cluster = Cluster.Options()
        cluster.nodeCount = 3
        let simulator = try await RunningSimulator(cluster)
        defer { simulator.stop() }
        let names = simulator.server.cluster.report().map(\.node.name)

        let list = try await kubectl(simulator, ["get", "nodes"]).result()
        #expect(list.status == 0)
        let lines = list.output.split(separator: "\n")
        #expect(lines[0].hasPrefix("NAME"))
        #expect(lines.dropFirst().map { String($0.prefix { $0 != " " }) } == names)

        let one = try await kubectl(simulator, ["get", "node", names[1], "-o", "json"]).result()
        #expect(one.status == 0)
        struct Node: Decodable {
            struct Metadata: Decodable { var name: String }
            var kind: String
            var metadata: Metadata
        }
        let node = try JSONDecoder().decode(Node.self, from: Data(one.output.utf8))
        #expect(node.kind == "Node" && node.metadata.name == names[1])

        let watch = try kubectl(simulator, ["get", "nodes", "-w", "--output-watch-events"])
        defer { watch.signal(SIGINT) }
        try await watch.wait(for: "list") {
            watch.output.split(separator: "\n").count == 4 ? true : nil
        }
        simulator.server.cluster.deleteNode(names[2])
        try await watch.wait(for: "deletion") {
            watch.output.contains("DELETED    \(names[2])") ? true : nil
        }
    }
}
