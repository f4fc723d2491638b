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
        help: "A bug on purpose: \(World.Plant.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plant: World.Plant?

    func run() throws {
        var total = History.Outcome()
        for seed in firstSeed..<firstSeed + UInt64(seeds) {
            let outcome = try History(seed, hours: hours, nodes: nodes, plant, log).run()
            Log.say("seed \(seed): \(outcome)")
            total.add(outcome)
            guard outcome.violations.isEmpty else {
                for violation in outcome.violations.prefix(10) { print("  \(violation)") }
                print(
                    "repeat it with: simulate --first-seed \(seed) --hours \(hours) --nodes \(nodes)"
                )
                throw ExitCode(1)
            }
        }
        print("all: \(total)")
        for kind in FaultKind.allCases where kind != .goAway {
            print("  \(total.faults[kind] ?? 0) × \(kind.rawValue)")
        }
    }
}

extension World.Plant: ExpressibleByArgument {}

/// One seed's history.
struct History {
    struct Outcome: CustomStringConvertible {
        var seconds = 0
        var faults: [FaultKind: Int] = [:]
        var alerts = 0
        var events = 0
        var reconnects = 0
        var relists = 0
        var silences = 0
        var rewinds = 0
        var hash: UInt64 = 0
        var violations: [String] = []

        mutating func add(_ counted: WatchStatistics) {
            events += counted.events
            reconnects += counted.reconnects
            relists += counted.relists
            silences += counted.silences
            rewinds += counted.rewinds
        }

        mutating func add(_ other: Outcome) {
            seconds += other.seconds
            faults.merge(other.faults) { $0 + $1 }
            alerts += other.alerts
            hash ^= other.hash
            events += other.events
            relists += other.relists
            reconnects += other.reconnects
            silences += other.silences
            rewinds += other.rewinds
            violations += other.violations
        }

        var description: String {
            let counts = [
                (seconds / 3600, "h"), (faults.values.reduce(0, +), "faults"), (events, "events"),
                (reconnects, "reconnects"), (relists, "relists"), (silences, "silences"),
                (rewinds, "rewinds"), (alerts, "alerts"), (violations.count, "violations"),
            ]
            return counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
                + ", log \(String(hash, radix: 16))"
        }
    }

    private let seed: UInt64
    private let hours: Int
    private let nodes: Int
    private let plant: World.Plant?
    private let log: Log

    init(_ seed: UInt64, hours: Int, nodes: Int, _ plant: World.Plant?, _ path: String?) {
        self.seed = seed
        self.hours = hours
        self.nodes = nodes
        self.plant = plant
        log = Log(to: path)
    }

    func run() throws -> Outcome {
        var clusterOptions = Cluster.Options()
        clusterOptions.nodeCount = nodes
        clusterOptions.seed = seed
        clusterOptions.historyLimit = 2000
        clusterOptions.clock = { 1_767_225_600 }
        let cluster = Cluster(clusterOptions)
        var serverOptions = SimulatorServer.Options()
        serverOptions.token = "simulated"
        let server = InProcessServer(cluster, serverOptions)
        var lifeOptions = Life.Options()
        lifeOptions.nodes = nodes
        var life = Life(cluster, seed: seed ^ 0x4c49_4645, lifeOptions)
        let observer = Observer(cluster, log)
        let client = Client()
        life.check = { observer.check(client.hub.table.entries.map(\.summary), $0) }
        life.restored = { observer.wasRestored = true }
        let world = try World(
            server, life, seed: seed ^ 0x5041_5448, until: .seconds(hours * 3600), plant: plant, log
        )
        world.afterBatch = { [unowned world] in
            while case let changes = client.next(), !changes.isEmpty {
                for change in changes { observer.observe(change, world.elapsed) }
            }
            let version = client.hub.read { $0.hasSynced ? $0.version : nil }
            observer.noteVersion(version, world.elapsed)
        }
        var outcome = Outcome()
        while !world.isOver {
            outcome.add(try client.run(world, log))
            client.restart()
            observer.restart()
            world.path.restartsClient = false
            world.path.renewsEngine = true
        }

        outcome.seconds = hours * 3600
        outcome.faults = world.life.faults
        outcome.alerts = observer.alerts
        outcome.hash = log.hash
        outcome.violations = observer.violations
        return outcome
    }
}

/// The program that is watched, from one restart to the next.
private final class Client {
    private(set) var hub = Hub<NodeTable>()
    private var subscription: Int
    /// What it finds when it starts.
    private var checkpoint: (nodes: [UInt8], version: ResourceVersion)?

    init() { subscription = hub.subscribe(queueLimit: 10_000).id }

    func next() -> [NodeChange] { hub.next(subscription) }

    func run(_ world: World, _ log: Log) throws -> WatchStatistics {
        let counters = WatchCounters()
        // Who waits misses what goes wrong meanwhile: less of it, and more is survived in a day.
        var options = RunnerOptions()
        options.reflector.backoffStart = .milliseconds(200)
        options.reflector.backoffLimit = .seconds(5)
        let restored = try checkpoint.map { kept in
            (try kept.nodes.withUnsafeBytes { try CheckpointBody.table($0, seen: 0) }, kept.version)
        }
        ReflectorRunner(
            world, NodeReader(isStrict: false, .automatic), .all, hub, counters, options,
            restored: restored
        ) { [unowned world] notice in
            if case .listing = notice { return }
            log.add(world.elapsed, "\(notice)")
        }.run()
        return counters.current
    }

    /// Keeps what is known. The file of the time before stays where nothing is.
    func restart() {
        let (table, version) = hub.read { ($0.hasSynced ? $0.table : nil, $0.version) }
        if let table, let version { checkpoint = (CheckpointBody.bytes(table), version) }
        hub = Hub()
        subscription = hub.subscribe(queueLimit: 10_000).id
    }
}
