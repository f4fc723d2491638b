import ClusterSimulator
import Foundation
import TestSupport
import Testing

/// What a client gets of each fault.
@Suite("Faults", .timeLimit(.minutes(Patience.minutes)))
struct FaultTests {
    private static let list = "/api/v1/nodes"
    private static let watch =
        "/api/v1/nodes?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        + "&allowWatchBookmarks=true&timeoutSeconds=1"

    private func simulator() async throws -> RunningSimulator {
        var cluster = Cluster.Options()
        cluster.nodeCount = 20
        return try await RunningSimulator(cluster)
    }

    private struct Event: Decodable {
        struct Object: Decodable { var code: Int? }
        var type: String
        var object: Object
    }

    private func events(_ body: String) throws -> [Event] {
        try body.split(separator: "\n").map {
            try JSONDecoder().decode(Event.self, from: Data($0.utf8))
        }
    }

    /// A streaming list's body without the bytes that differ from time to time.
    private func answer(
        _ fault: Faults.Fault, _ target: String, _ http: String
    ) async throws -> (status: Int32, body: String) {
        let simulator = try await simulator()
        defer { simulator.stop() }
        simulator.server.faults.add(fault)
        return try await simulator.run(target, http: http, seconds: 2)
    }

    @Test(arguments: ["1.1", "2"], [list, watch])
    func `of a body that does not come whole are that many bytes, and an error`(
        http: String, target: String
    ) async throws {
        // Partial body, reset or the like; and what HTTP/2 calls it.
        let broken: [Int32] = [16, 18, 55, 56, 92]
        for fault in [Faults.Fault.truncate(afterBytes: 5000), .reset(afterBytes: 5000)] {
            let (status, body) = try await answer(fault, target, http)
            #expect(broken.contains(status), "\(status)")
            // What a reset overtakes is lost.
            #expect(body.utf8.count <= 5000)
            if case .truncate = fault { #expect(body.utf8.count == 5000) }
        }
        let (status, body) = try await answer(.stall(afterBytes: 5000), target, http)
        #expect(status == 28 && body.utf8.count == 5000, "\(status), \(body.utf8.count) bytes")
    }

    @Test(arguments: ["1.1", "2"])
    func `come slowly, twice, or as an event`(http: String) async throws {
        let (slow, some) = try await answer(.drip(bytesPerSecond: 4000), Self.list, http)
        #expect(slow == 28 && (2000...10_000).contains(some.utf8.count), "\(some.utf8.count) bytes")

        let (_, twice) = try await answer(.duplicates, Self.watch, http)
        let lines = twice.split(separator: "\n")
        #expect(lines.count >= 42 && lines.count.isMultiple(of: 2))
        for at in stride(from: 0, to: lines.count, by: 2) { #expect(lines[at] == lines[at + 1]) }

        let (status, error) = try await answer(.event(429, retryAfter: 3), Self.watch, http)
        let found = try events(error)
        #expect(status == 0 && found.map(\.type) == ["ERROR"] && found[0].object.code == 429)
        #expect(error.contains("\"retryAfterSeconds\":3"))
    }

    @Test func `are read as people write them`() throws {
        for text in [
            "reset=0", "stall=1", "drip=1", "duplicates", "event=410", "event=429,2", "status=500",
        ] { #expect(Faults.Fault(text) != nil, "\(text)") }
        for text in ["reset", "drip=x", "duplicates=1", "event", "event=99", "status=1,2,3", ""] {
            #expect(Faults.Fault(text) == nil, "\(text)")
        }
    }

    @Test func `a node can be larger than anybody wants`() async throws {
        let simulator = try await simulator()
        defer { simulator.stop() }
        let name = try #require(simulator.server.cluster.report().first?.node.name)
        let said = try ControlCommand(simulator.server).run(["bloat", name, "3MB"])
        #expect(said == ["\(name) is 3000000 bytes larger"])
        let node = try await simulator.get("/api/v1/nodes/\(name)")
        #expect(node.count > 3_000_000)
    }
}
