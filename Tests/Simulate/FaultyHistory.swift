import ClusterSimulator
import Histories
import KubeClient
import NodeWatch

/// One seed's history of a cluster to which everything goes wrong.
struct FaultyHistory {
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
    private let plant: Plant?
    private let log: Log

    init(_ seed: UInt64, hours: Int, nodes: Int, _ plant: Plant?, _ path: String?) {
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
            observer.restart(world.elapsed)
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
