import ClusterSimulator
import Foundation
import TestSupport
import Testing

/// A node as JSON, by a client's eyes.
private typealias Object = [String: Any]

@Suite("Simulated nodes")
struct ShapeTests {
    /// Fetches all nodes with Python, whose TLS and JSON share nothing with ours.
    private func nodes(_ shape: NodeShape, count: Int) async throws -> [Object] {
        var options = Cluster.Options()
        options.nodeCount = count
        options.shapes = [shape]
        let simulator = try await RunningSimulator(options)
        defer { simulator.stop() }
        let body = try await simulator.get("/api/v1/nodes")
        let list = try #require(try JSONSerialization.jsonObject(with: body) as? Object)
        #expect(list["kind"] as? String == "NodeList")
        return try #require(list["items"] as? [Object])
    }

    /// Paths of all fields; keys of maps that are data (labels and the like) stand as "*".
    private func paths(_ value: Any, _ path: String = "") -> Set<String> {
        let maps = [
            "metadata/labels", "metadata/annotations", "status/capacity",
            "status/allocatable",
        ]
        if let object = value as? Object {
            return object.reduce(into: []) { all, pair in
                let key = maps.contains(path) ? "*" : pair.key
                all.formUnion(paths(pair.value, path.isEmpty ? key : "\(path)/\(key)"))
            }
        }
        if let array = value as? [Any] {
            return array.reduce(into: []) { $0.formUnion(paths($1, path + "[]")) }
        }
        return [path]
    }

    @Test(
        .enabled(
            if: !Checkout.recorded("realnodes", suffix: ".json").isEmpty,
            "no recorded nodes beside this checkout"),
        arguments: NodeShape.allCases)
    func `have the shape of the provider's`(shape: NodeShape) async throws {
        let file = try #require(
            Checkout.recorded("realnodes", suffix: "/\(shape.rawValue)-8.json").first
                ?? Checkout.recorded("realnodes", suffix: "\(shape.rawValue)-8.json").first)
        let data = try Data(contentsOf: URL(filePath: file))
        let real = try #require(
            (try JSONSerialization.jsonObject(with: data) as? Object)?["items"] as? [Object])
        let simulated = try await nodes(shape, count: 8)

        // kubectl adds kind and apiVersion to the items it prints.
        var expected = real.reduce(into: Set<String>()) { $0.formUnion(paths($1)) }
        expected.subtract(["kind", "apiVersion"])
        let missing = expected.subtracting(simulated.reduce(into: []) { $0.formUnion(paths($1)) })
        // What depends on features of those very clusters, not on the provider.
        let optional = missing.filter { path in
            ["volumes", "spec/podCIDR", "spec/taints", "status/addresses"].contains {
                path.contains($0)
            }
        }
        #expect(missing.subtracting(optional) == [])

        func images(_ nodes: [Object]) -> [Int] {
            nodes.map { (($0["status"] as? Object)?["images"] as? [Any])?.count ?? 0 }.sorted()
        }
        let (ours, theirs) = (images(simulated), images(real))
        #expect(ours[0] >= theirs[0] / 2 && ours[0] <= theirs[theirs.count - 1] * 2)

        func conditions(_ nodes: [Object]) -> Int {
            ((nodes[0]["status"] as? Object)?["conditions"] as? [Any])?.count ?? 0
        }
        #expect(abs(conditions(simulated) - conditions(real)) <= 6)
    }

    @Test func `are the same for the same seed, except for the time`() {
        func names(_ seed: UInt64) -> [String] {
            var options = Cluster.Options()
            options.shapes = [.gke]
            options.seed = seed
            return Cluster(options).report().map { "\($0.node.uid) \($0.images?.bytes ?? -1)" }
        }
        #expect(names(1) == names(1))
        #expect(names(1) != names(2))
    }

    @Test func `have names of their own, where those are drawn, too`() {
        var options = Cluster.Options()
        options.nodeCount = 30_000
        options.shapes = [.gke]
        let cluster = Cluster(options)
        for _ in 0..<100 { cluster.addNode() }
        #expect(Set(cluster.report().map(\.node.name)).count == 30_100)
    }

    @Test func `list what the model says`() async throws {
        var options = Cluster.Options()
        options.nodeCount = 30
        options.shapes = NodeShape.allCases
        let simulator = try await RunningSimulator(options)
        defer { simulator.stop() }
        let body = try await simulator.get("/api/v1/nodes")
        let list = try #require(try JSONSerialization.jsonObject(with: body) as? Object)
        let items = try #require(list["items"] as? [Object])
        let report = simulator.server.cluster.report()
        #expect(items.count == 30)
        for (item, expected) in zip(items, report) {
            let images = try #require((item["status"] as? Object)?["images"] as? [Object])
            let bytes = images.reduce(0) { $0 + ($1["sizeBytes"] as? Int ?? 0) }
            #expect((item["metadata"] as? Object)?["name"] as? String == expected.node.name)
            #expect(bytes == expected.images?.bytes)
            #expect(images.count == expected.images?.count)
            let sizes = images.map { $0["sizeBytes"] as? Int ?? 0 }
            #expect(sizes == sizes.sorted(by: >))
        }
    }
}
