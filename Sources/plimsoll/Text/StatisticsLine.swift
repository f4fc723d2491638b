import KubeClient
import NodeWatch

/// The line `--stats` prints for a cluster; CPU and memory are those of the whole process.
struct StatisticsLine: Encodable {
    var cluster: String
    var nodes: Int
    var events: Int
    var changes: Int
    var alerts: Int
    var bytes: Int
    var wireFormat: Nullable<String>
    var initialSync: Nullable<String>
    var syncSeconds: Nullable<Double>
    var cpuSeconds: Double
    var maxRSSBytes: Int
    var reconnects: Int
    var relists: Int
    var silences: Int
    var rewinds: Int
    var rejected: Int

    init(
        cluster: String, nodes: Int, _ statistics: WatchStatistics, changes: Int, alerts: Int
    ) {
        let cost = ProcessCost.now
        self.cluster = cluster
        self.nodes = nodes
        events = statistics.events
        self.changes = changes
        self.alerts = alerts
        bytes = statistics.bytes
        wireFormat = Nullable(statistics.wireFormat?.rawValue)
        initialSync = Nullable(statistics.initialSync?.kind.rawValue)
        syncSeconds = Nullable(statistics.initialSync.map { $0.duration / .seconds(1) })
        cpuSeconds = cost.cpuSeconds
        maxRSSBytes = cost.maxRSSBytes
        reconnects = statistics.reconnects
        relists = statistics.relists
        silences = statistics.silences
        rewinds = statistics.rewinds
        rejected = statistics.rejected
    }
}
