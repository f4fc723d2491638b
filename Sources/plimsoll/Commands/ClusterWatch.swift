import ImageAlerts
import KubeClient
import NodeWatch
import ProcessMemory
import Synchronization

/// The watch of one cluster: its informer, its alerts, and what is said of its connection.
final class ClusterWatch: Sendable {
    /// What the session has to know.
    enum Event: Sendable {
        case synced
        /// Only the user can help.
        case failed(String)
        /// Nobody reads the alerts any more.
        case outputClosed
    }

    /// Columns for node names: as many as the longest needs, within limits.
    private static let nameWidths = 20...48

    private struct State: Sendable {
        var isSynced = false
        var lastProblem: String?
        var changes = 0
        var alerts = 0
        var informer: SharedNodeInformer?
    }

    let client: KubeClient
    private let options: WatchSession.Options
    private let talk: WatchTalk
    /// Columns for the cluster's name beside those of others; 0: it is the only one.
    private let clusterWidth: Int
    private let onEvent: @Sendable (Event) -> Void
    private let state = Mutex(State())

    var name: String { client.configuration.contextName }
    var isSynced: Bool { state.withLock { $0.isSynced } }
    var lastProblem: String? { state.withLock { $0.lastProblem } }

    init(
        _ client: KubeClient, _ options: WatchSession.Options, _ talk: WatchTalk, clusterWidth: Int,
        onEvent: @escaping @Sendable (Event) -> Void
    ) {
        self.client = client
        self.options = options
        self.talk = talk
        self.clusterWidth = clusterWidth
        self.onEvent = onEvent
    }

    /// Makes the informer. To be called once, before `run`.
    func makeInformer() throws(KubeError) -> SharedNodeInformer {
        let informer = try SharedNodeInformer(
            client: client, selector: options.selector, batchWindow: options.batchWindow,
            strict: options.isStrict, wireFormat: options.wireFormat
        ) { [weak self] in
            self?.take($0)
        }
        state.withLock { $0.informer = informer }
        return informer
    }

    /// Watches until the task is cancelled. What had been seen by then is still told.
    func run() async {
        guard let informer = state.withLock({ $0.informer }) else { return }
        // Begun before anything can happen, so that nothing is missed.
        let changes = informer.changes().makeAsyncIterator()
        let alerting = Task { await alert(changes) }
        try? await informer.run()
        await alerting.value
    }

    // MARK: Alerts

    private func alert(_ changes: NodeChanges.AsyncIterator) async {
        var changes = changes
        var detector = ImageChangeDetector(cap: options.cap)
        var nameWidth = Self.nameWidths.lowerBound
        while let change = await changes.next() {
            if case .added(let node, let isInitial) = change {
                nameWidth = min(max(nameWidth, node.name.count), Self.nameWidths.upperBound)
                if !isInitial { state.withLock { $0.changes += 1 } }
            } else {
                state.withLock { $0.changes += 1 }
            }
            guard let imageChange = detector.observe(change) else { continue }
            let line = options.format.line(
                Alert(imageChange, cluster: name), width: Terminal.width, nameWidth: nameWidth,
                clusterWidth: clusterWidth, isColored: Terminal.outputIsColored)
            state.withLock { $0.alerts += 1 }
            if !talk.alert(line) { onEvent(.outputClosed) }
        }
    }

    // MARK: Talk

    private func take(_ notice: WatchNotice) {
        switch notice {
        case .listing(let nodes, let bytes):
            talk.show("\(name) · \(NumberText.grouped(nodes)) nodes, \(NumberText.bytes(bytes)) …")
        case .synced(let sync): synced(sync)
        case .problem(let error, let delay, let version): problem(error, delay, version)
        case .resumed(let outage):
            say("resumed after \(NumberText.seconds(outage)), nothing missed")
        case .rejected(let node, let reason):
            say(
                "left out an object\(node.isEmpty ? "" : " of node \(node)"): \(reason); "
                    + "its last good state stays")
        case .handlerFailed: break
        }
    }

    private func synced(_ sync: WatchNotice.Sync) {
        let nodes = "\(NumberText.grouped(sync.objects)) node\(sync.objects == 1 ? "" : "s")"
        let cost = "(\(sync.way), \(sync.wireFormat.name), \(NumberText.bytes(sync.bytes)))"
        let time = NumberText.seconds(sync.duration)
        let informer = state.withLock { state in
            state.isSynced = true
            state.lastProblem = nil
            return state.informer
        }
        if sync.isRelist {
            say("listed again: \(nodes) in \(time) \(cost)")
        } else {
            let total = informer.map { " · \(storageText($0.store))" } ?? ""
            talk.say("\(name) · \(nodes) in \(time) \(cost)\(total)")
        }
        // Of connecting, and of the list that comes in beside the one that is there.
        process_memory_give_back()
        onEvent(.synced)
    }

    /// "reported image storage ≥ 182 TiB, compressed".
    private func storageText(_ store: NodeStore) -> String {
        let nodes = store.nodes
        let detector = ImageChangeDetector(cap: options.cap, knowing: nodes)
        var total = 0
        var isLowerBound = false
        var bases: Set<ImageSizeBasis> = []
        for node in nodes {
            guard let bytes = node.imageBytes else {
                isLowerBound = true
                continue
            }
            let (sum, overflow) = total.addingReportingOverflow(bytes)
            total = overflow ? .max : sum
            isLowerBound = isLowerBound || overflow || detector.isTruncated(node)
            bases.insert(node.basis)
        }
        let basis =
            switch bases {
            case [.reportedCompressed]: ", compressed"
            case [.reportedUncompressed]: ", uncompressed"
            case []: ""
            default: ", partly compressed"
            }
        return "reported image storage \(isLowerBound ? "≥ " : "")\(ByteText.text(total))\(basis)"
    }

    private func problem(_ error: KubeError, _ delay: Duration, _ version: String?) {
        let text = ProblemText.text(error, client.configuration)
        let isSynced = state.withLock { state in
            state.lastProblem = text
            return state.isSynced
        }
        if !isSynced, ProblemText.isHopeless(error) {
            onEvent(.failed(clusterWidth == 0 ? text : "\(name): \(text)"))
            return
        }
        say(ProblemText.line(text, error, delay, version))
    }

    private func say(_ text: String) {
        talk.say("\(Terminal.time)  \(clusterWidth == 0 ? "" : "\(name): ")\(text)")
    }

    // MARK: Statistics

    var statistics: StatisticsLine? {
        let state = state.withLock { $0 }
        guard let informer = state.informer else { return nil }
        let statistics = informer.statistics
        let cost = ProcessCost.now
        return StatisticsLine(
            cluster: name, nodes: informer.store.count, events: statistics.events,
            changes: state.changes, alerts: state.alerts, bytes: statistics.bytes,
            wireFormat: Nullable(statistics.wireFormat?.rawValue),
            initialSync: Nullable(statistics.initialSync?.kind.rawValue),
            syncSeconds: Nullable(statistics.initialSync.map { $0.duration / .seconds(1) }),
            cpuSeconds: cost.cpuSeconds, maxRSSBytes: cost.maxRSSBytes,
            reconnects: statistics.reconnects, relists: statistics.relists,
            silences: statistics.silences, rewinds: statistics.rewinds,
            rejected: statistics.rejected)
    }
}

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
}
