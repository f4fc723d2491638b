import ClusterSimulator
import Histories
import ImageAlerts
import KubeClient
import NodeWatch

/// One seed's history of a cluster in which nothing breaks.
struct OrdinaryHistory {
    struct Outcome: CustomStringConvertible {
        var counts: [String: Int]
        var changes: Int
        var alerts: Int
        var pressures: Int
        var merged: Int
        var hidden: Int
        var lists: Int
        var falseAlerts: [String]
        var missed: [String]

        var problems: [String] {
            falseAlerts.map { "false: \($0)" } + missed.map { "missed: \($0)" }
        }

        var description: String {
            let happened = counts.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }
            return (happened + ["\(lists) lists", "\(changes) changes of images"])
                .joined(separator: ", ")
                + ": \(alerts) alerts (\(pressures) of pressure), \(merged) more told with the next, \(hidden) beyond the cap, "
                + "\(falseAlerts.count) false, \(missed.count) missed"
        }
    }

    /// At the end what waits comes out.
    private static let calm = Duration.seconds(600)

    private let seed: UInt64
    private let length: Duration
    private let nodes: Int
    private let log: Log

    init(_ seed: UInt64, hours: Int, nodes: Int, _ path: String?) {
        self.seed = seed
        length = .seconds(hours * 3600)
        self.nodes = nodes
        log = Log(to: path)
    }

    func run() throws -> Outcome {
        let clock = SimulatedClock()
        var clusterOptions = Cluster.Options()
        clusterOptions.nodeCount = nodes
        // Of the three, AKS lists as many images as a kubelet reports, from birth.
        clusterOptions.shapes = [.eks, .aks, .gke]
        clusterOptions.seed = seed
        clusterOptions.historyLimit = 5000
        clusterOptions.clock = { clock.seconds }
        let cluster = Cluster(clusterOptions)
        var serverOptions = SimulatorServer.Options()
        serverOptions.token = "simulated"
        let server = InProcessServer(cluster, serverOptions)
        let ledger = Ledger(cluster, warmUp: .seconds(120), clock)
        let routine = Routine(ledger, seed: seed ^ 0x4c49_4645, length, Routine.Options())
        let world = try World(
            server, routine, seed: seed ^ 0x5041_5448, until: length + Self.calm, plant: nil, log)
        let client = Client()
        var alerting = Alerting()
        world.afterBatch = { [unowned world] in
            let now = world.elapsed
            var alerts = alerting.advance(now)
            while case let changes = client.next(), !changes.isEmpty {
                for change in changes { alerts += alerting.observe(change, now) }
            }
            let version = client.hub.read { $0.hasSynced ? $0.version : nil }
            alerts += alerting.noteVersion(version, now)
            for alert in alerts {
                log.add(now, alert.summary)
                ledger.compare(alert)
            }
        }
        while !world.isOver {
            _ = try client.run(world, log)
            client.restart()
            alerting.restart(world.elapsed)
            world.path.restartsClient = false
            world.path.renewsEngine = true
        }
        ledger.close()
        return Outcome(
            counts: world.life.counts, changes: ledger.changes, alerts: ledger.alerts,
            pressures: ledger.pressures,
            merged: ledger.merged, hidden: ledger.hidden, lists: client.lists,
            falseAlerts: ledger.falseAlerts,
            missed: ledger.missed)
    }
}
