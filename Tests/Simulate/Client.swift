import Histories
import KubeClient
import NodeWatch

/// The program that is watched, from one restart to the next.
final class Client {
    private(set) var hub = Hub<NodeTable>()
    private var subscription: Int
    /// Whole lists that came.
    private(set) var lists = 0
    /// What it finds when it starts.
    private var checkpoint: (nodes: [UInt8], version: ResourceVersion)?

    init() { subscription = hub.subscribe(queueLimit: 10_000).id }

    func next() -> [NodeChange] { hub.next(subscription) }

    func run(_ world: World<some Happenings>, _ log: Log) throws -> WatchStatistics {
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
        ) { [unowned world, unowned self] notice in
            if case .listing = notice { return }
            if case .synced(let sync) = notice, sync.kind != .checkpoint { self.lists += 1 }
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
