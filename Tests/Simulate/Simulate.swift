import ArgumentParser
import ClusterSimulator
import Histories
import KubeClient
import NodeWatch

/// Whole histories of a cluster without sockets, threads or real time.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "Let a cluster live through simulated days full of faults, and check what is made of it.",
        discussion: """
            The simulated server's bytes go through the decoder, the reflector, the store and the alerts, in \
            one thread and with a clock that only moves when somebody waits. One seed is one history. At \
            each quiet point the store must equal the server's nodes, every image set must have been \
            reported as it is, and nothing may have been reported without a difference.
            """)

    @Option(help: ArgumentHelp("Seeds from here on.", valueName: "number"))
    var firstSeed: UInt64 = 1
    @Option(help: ArgumentHelp("How many histories.", valueName: "number"))
    var seeds = 1
    @Option(help: ArgumentHelp("Hours that each of them lasts.", valueName: "number"))
    var hours = 24
    @Option(help: "Nodes of the cluster.")
    var nodes = 200
    @Option(help: ArgumentHelp("Write what happens, of the last history.", valueName: "file"))
    var log: String?
    @Option(
        help: "A bug on purpose: \(Plant.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plant: Plant?

    @Flag(
        help: ArgumentHelp(
            "Nothing breaks: rollouts, garbage collection, new machines, restarts of the client.",
            discussion:
                "Each alert must be a change that the simulator made, and each change be told."))
    var ordinary = false

    private var seedRange: Range<UInt64> { firstSeed..<firstSeed + UInt64(seeds) }

    func run() throws {
        if ordinary { try runOrdinary() } else { try runFaulty() }
    }

    private func runOrdinary() throws {
        for seed in seedRange {
            let outcome = try OrdinaryHistory(seed, hours: hours, nodes: nodes, log).run()
            Log.say("seed \(seed): \(outcome)")
            try fail(seed, outcome.problems, "--ordinary ")
        }
    }

    private func runFaulty() throws {
        var total = FaultyHistory.Outcome()
        for seed in seedRange {
            let outcome = try FaultyHistory(seed, hours: hours, nodes: nodes, plant, log).run()
            Log.say("seed \(seed): \(outcome)")
            total.add(outcome)
            try fail(seed, outcome.violations, "")
        }
        print("all: \(total)")
        for kind in FaultKind.allCases where kind != .goAway {
            print("  \(total.faults[kind] ?? 0) × \(kind.rawValue)")
        }
    }

    private func fail(_ seed: UInt64, _ problems: [String], _ kind: String) throws {
        if problems.isEmpty { return }
        for problem in problems.prefix(10) { print("  \(problem)") }
        print(
            "repeat it with: simulate \(kind)--first-seed \(seed) --hours \(hours) --nodes \(nodes)"
        )
        throw ExitCode(1)
    }
}

extension Plant: ExpressibleByArgument {}
