import Foundation
import TestSupport
import Testing

/// Whole histories without sockets or real time, as `make simulate` runs more of.
@Suite("Simulated histories", .timeLimit(.minutes(Patience.minutes)))
struct SimulationTests {
    private func simulate(_ arguments: String...) async throws -> Program.Result {
        try await Program.run("simulate", ["--hours", "1"] + arguments, deadline: Patience.limit)
    }

    @Test func `hold for twenty seeds: the store is the truth, and what changed was reported`()
        async throws
    {
        let result = try await simulate("--seeds", "20")
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains(", 0 violations, log "))
    }

    @Test func `tell what truly changed in an ordinary hour, and nothing else`() async throws {
        let result = try await simulate("--ordinary", "--nodes", "400", "--seeds", "2")
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains(" 10 restarts, "))
        #expect(result.output.contains(", 0 false, 0 missed"))
    }

    @Test func `repeat byte for byte`() async throws {
        let folder = try TemporaryFolder()
        var logs: [Data] = []
        for number in 1...2 {
            let log = folder.url.appending(path: "\(number)")
            let result = try await simulate("--first-seed", "42", "--log", log.path)
            #expect(result.status == 0)
            logs.append(try Data(contentsOf: log))
        }
        #expect(logs[0].count > 100_000)
        #expect(logs[0] == logs[1])
    }

    @Test(arguments: ["drop-deleted", "drop-listed"])
    func `find a bug that was put there, and say how to repeat it`(bug: String) async throws {
        let result = try await simulate("--seeds", "100", "--plant", bug)
        #expect(result.status == 1)
        #expect(result.output.contains("repeat it with: simulate --first-seed "))
    }
}

/// The same over sockets, as `make chaos` does more of.
@Suite("Faults over TLS", .timeLimit(.minutes(Patience.minutes)))
struct ChaosTests {
    @Test(arguments: [[], ["--http2"]])
    func `leave the store true, every change reported, and nothing behind`(more: [String])
        async throws
    {
        let result = try await Program.run(
            "chaos", ["--faults", "400"] + more, deadline: Patience.limit)
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains(" 0 violations"))
        #expect(result.output.contains("blind: "))
    }
}
