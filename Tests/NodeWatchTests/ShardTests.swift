import KubeClient
import NodeWatch
import TestSupport
import Testing

@Suite("Shards", .timeLimit(.minutes(Patience.minutes)))
struct ShardTests {
    @Test func `cut the hashes into equal parts without a gap`() throws {
        for count in [1, 2, 3, 4, 7, 65_536] {
            var next: UInt64? = 0
            for number in 1...count {
                let range = try #require(Shard(number, of: count)).range
                #expect(range.lowerBound == next)
                next = range.upperBound == .max ? nil : range.upperBound + 1
            }
            #expect(next == nil)
        }
        #expect(
            try #require(Shard(2, of: 4)).range == 0x4000_0000_0000_0000...0x7fff_ffff_ffff_ffff)
        #expect(Shard(0, of: 4) == nil && Shard(5, of: 4) == nil && Shard(1, of: 0) == nil)
    }

    @Test(arguments: ["serve", "ignore", "refuse"])
    func `have every node once, whatever the server makes of them`(server: String) async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "60", "--heartbeat-interval", "0", "--shards", server])
        defer { simulator.stop() }
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let selectors = (1...3).map { NodeSelector(shard: Shard($0, of: 3)) }
        let informers = try ([.all] + selectors).map {
            try SharedNodeInformer(client: client, selector: $0)
        }
        let running = informers.map { informer in Task { try await informer.run() } }
        defer { running.forEach { $0.cancel() } }
        for informer in informers { _ = await informer.store.synced() }
        let (whole, parts) = (informers[0], informers.dropFirst())
        func names() -> [String] { parts.flatMap { $0.store.nodes.map(\.name) } }
        #expect(names().sorted() == whole.store.nodes.map(\.name).sorted())
        let all = whole.statistics.bytes
        for bytes in parts.map(\.statistics.bytes) {
            #expect((bytes < all * 2 / 3) == (server == "serve"), "\(bytes) of \(all)")
        }

        // What happens elsewhere moves the version on, and nothing else.
        let first = try #require(informers[1].store.nodes.first).name
        try await simulator.command("pull", first, "new:1", "5MB")
        try await eventually("the pull") {
            informers[1].store[first]?.images.contains { $0.names.contains("new:1") } == true
        }
        try await eventually("the same version") {
            Set(informers.map(\.store.resourceVersion)).count == 1 || server == "serve"
        }
        try await simulator.command("delete-node", first)
        try await eventually("the deletion") { names().count == 59 && whole.store.count == 59 }
    }
}
