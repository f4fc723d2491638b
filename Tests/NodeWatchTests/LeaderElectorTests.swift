import Foundation
import KubeClient
import NodeWatch
import Synchronization
import TestSupport
import Testing

@Suite("LeaderElector", .timeLimit(.minutes(Patience.minutes)))
struct LeaderElectorTests {
    /// Processes that take part, and what they see of each other.
    private final class Field: Sendable {
        struct Seen {
            var leading: Set<String> = []
            var all: [String] = []
            var overlaps = 0
        }

        let seen = Mutex(Seen())

        var leading: Set<String> { seen.withLock { $0.leading } }

        func lead(_ name: String) async {
            seen.withLock { seen in
                if !seen.leading.isEmpty { seen.overlaps += 1 }
                seen.leading.insert(name)
                seen.all.append(name)
            }
            while (try? await Task.sleep(for: .milliseconds(20))) != nil {}
            seen.withLock { _ = $0.leading.remove(name) }
        }
    }

    private static func options(_ identity: String) -> LeaderElector.Options {
        var options = LeaderElector.Options(
            lease: "plimsoll", namespace: "default", identity: identity)
        // Long enough for a busy machine to renew in time.
        options.leaseDuration = .seconds(Patience.isSlow ? 40 : 8)
        options.renewDeadline = .seconds(Patience.isSlow ? 30 : 5)
        options.retryPeriod = .milliseconds(100)
        return options
    }

    private func client(_ simulator: SimulatorProcess) throws -> KubeClient {
        KubeClient(try .load(.file(simulator.kubeconfig)))
    }

    @Test func `lets one lead at a time, and another at once when that one ends`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let field = Field()
        var tasks: [String: Task<Void, Never>] = [:]
        for name in ["a", "b", "c"] {
            let elector = try LeaderElector(client: client(simulator), Self.options(name))
            tasks[name] = Task { await elector.run { await field.lead(name) } }
        }
        var left = Set(tasks.keys)
        while !left.isEmpty {
            try await eventually("a leader of \(left)") {
                field.leading.isSubset(of: left) && field.leading.count == 1
            }
            let name = try #require(field.leading.first)
            tasks[name]?.cancel()
            await tasks[name]?.value
            left.remove(name)
        }
        #expect(field.seen.withLock { $0.overlaps } == 0)
        #expect(field.seen.withLock { $0.all.count } == 3)
        let lease = Lease(
            try await client(simulator).resources(.leases, in: "default").get("plimsoll"))
        #expect(lease.holder.isEmpty && lease.transitions == 2)
    }

    @Test func `stops leading by its own clock when it cannot renew, and stands by again`()
        async throws
    {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let field = Field()
        let elector = try LeaderElector(client: client(simulator), Self.options("a"))
        let task = Task { await elector.run { await field.lead("a") } }
        try await eventually("a leads") { elector.isLeading && field.leading == ["a"] }
        simulator.program.signal(SIGSTOP)
        try await eventually("a does not lead") { !elector.isLeading && field.leading.isEmpty }
        simulator.program.signal(SIGCONT)
        try await eventually("a leads again") { elector.isLeading && field.leading == ["a"] }
        task.cancel()
        await task.value
        #expect(!elector.isLeading && field.leading.isEmpty)
    }

    @Test func `takes what its holder renews no more, whatever the clocks say`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        var lease = Lease(name: "plimsoll")
        lease.holder = "gone"
        lease.duration = .seconds(1)
        // Of a clock that is a day ahead.
        lease.renewed = Date(timeIntervalSinceNow: 86400)
        try await client(simulator).resources(.leases, in: "default").create(lease.object)
        let field = Field()
        let notices = Mutex<[String]>([])
        let elector = try LeaderElector(client: client(simulator), Self.options("a")) { notice in
            notices.withLock { $0.append("\(notice)") }
        }
        let start = ContinuousClock.now
        let task = Task { await elector.run { await field.lead("a") } }
        try await eventually("the gone one is seen") { elector.leader == "gone" }
        #expect(!elector.isLeading)
        try await eventually("a leads") { elector.isLeading }
        #expect(ContinuousClock.now - start >= .seconds(1))
        task.cancel()
        await task.value
        #expect(notices.withLock { $0 } == ["follows(\"gone\")", "leads", "stoodDown"])
    }

    @Test func `refuses times that cannot work`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let client = try client(simulator)
        for change: (inout LeaderElector.Options) -> Void in [
            { $0.renewDeadline = $0.leaseDuration }, { $0.retryPeriod = $0.renewDeadline },
            { $0.identity = "" }, { $0.retryPeriod = .zero },
        ] {
            var options = Self.options("a")
            change(&options)
            #expect(throws: KubeError.self) { try LeaderElector(client: client, options) }
        }
    }
}
