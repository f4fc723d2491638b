import Foundation
import TestSupport
import Testing

@Suite("plimsoll watch: a bad path", .timeLimit(.minutes(Patience.minutes)))
struct BadPathTests {
    private struct Statistics: Decodable {
        var nodes: Int
        var bytes: Int
        var initialSync: String
    }

    private func statistics(_ result: Program.Result) throws -> Statistics {
        let line = try #require(result.errors.split(separator: "\n").last { $0.hasPrefix("{") })
        return try JSONDecoder().decode(Statistics.self, from: Data(line.utf8))
    }

    @Test func `gets a list piece by piece where none comes whole`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "2000", "--images", "50", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let arguments = [
            "watch", "--kubeconfig", simulator.kubeconfig, "--until-synced", "--stats",
        ]
        let whole = try statistics(try await Program.run("plimsoll", arguments))
        // Not even a page of the usual size comes through.
        let proxy = try await Proxy(.http, cuttingAfter: 3_000_000)
        let result = try await Program.run(
            "plimsoll", arguments + ["--proxy-url", proxy.url], deadline: .seconds(120))
        #expect(result.status == 0, "\(result.errors)")
        let parts = try statistics(result)
        #expect(parts.nodes == 2000 && parts.initialSync == "pagedList")
        #expect(parts.bytes < 2 * whole.bytes, "\(parts.bytes) of \(whole.bytes)")
        #expect(proxy.targets.count > 8)
    }
}
