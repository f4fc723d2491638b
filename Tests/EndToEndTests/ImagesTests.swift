import Foundation
import TestSupport
import Testing

@Suite("plimsoll images", .timeLimit(.minutes(Patience.minutes)))
struct ImagesTests {
    private struct List: Decodable {
        struct Item: Decodable {
            var name: String
            var sizeBytes: Int
            var nodes: Int
            var totalBytes: Int?
        }
        var items: [Item]
    }

    @Test func `counts each image once, by its digest, with the nodes that have it`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "30", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let nodes = try await simulator.nodes()
        try await simulator.command("pull", nodes[0].name, "shop/cart:v2", "2000GB")
        try await simulator.command("pull", nodes[1].name, "shop/cart:v2", "2000GB")
        // Another tag on the same digest is the same image.
        try await simulator.command("retag", nodes[1].name, "shop/cart:v2", "shop/cart:stable")

        func images(_ arguments: String...) async throws -> Program.Result {
            try await Program.run(
                "plimsoll", ["images", "--kubeconfig", simulator.kubeconfig] + arguments)
        }
        let list = try JSONDecoder().decode(
            List.self, from: Data(try await images("-o", "json").output.utf8)
        ).items
        #expect(["shop/cart:v2", "shop/cart:stable"].contains(list[0].name))
        #expect(list[0].nodes == 2 && list[0].totalBytes == 4_000_000_000_000)
        let total = list.reduce(0) { $0 + ($1.totalBytes ?? 0) }
        #expect(total == (try await simulator.nodes()).reduce(0) { $0 + ($1.imageBytes ?? 0) })
        let entries = list.reduce(0) { $0 + $1.nodes }
        #expect(entries == (try await simulator.nodes()).reduce(0) { $0 + $1.imageCount })

        let table = try await images("--sort-by", "nodes").output.split(separator: "\n")
        #expect(table[0].split(separator: " ") == ["IMAGE", "SIZE", "NODES", "TOTAL"])
        #expect(table[1].split(separator: " ").contains("30"))
        let one = try await images("--on", nodes[0].name, "-o", "name").output
        #expect(one.split(separator: "\n").count == nodes[0].imageCount + 1)
        let missing = try await images("--on", "nope")
        #expect(missing.status == 1 && missing.errors == "Error: node \"nope\" not found\n")
        let csv = try await images("-o", "csv").output
        #expect(csv.hasPrefix("name,digest,sizeBytes,nodes,totalBytes\nshop/cart"))
    }
}
