import FoundationEssentials
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
        /// It was told.
        case alert(Alert)
        /// All that fires, since before this process, or before it led.
        case lasting([Alert])
        case delivery(AlertDelivery.Event)
    }

    private struct State: Sendable {
        var isSynced = false
        var lastProblem: String?
        var changes = 0
        var alerts = 0
        var informer: SharedNodeInformer?
        var alerting: ClusterAlerting?
        var alertState: AlertState?
        var recording: Recording?
    }

    let client: KubeClient
    private let options: WatchSession.Options
    private let talk: WatchTalk
    /// Columns for the cluster's name beside those of others; 0: it is the only one.
    private let clusterWidth: Int
    private let onEvent: @Sendable (Event) -> Void
    private let state = Mutex(State())

    var name: String { options.clusterName ?? client.configuration.contextName }
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
    ///
    /// - Parameter version: Where others had come to; nil: nobody had.
    func makeInformer(startingAt version: String? = nil) throws(KubeError) -> SharedNodeInformer {
        let recording = try makeRecording()
        let informer = try SharedNodeInformer(
            client: client, selector: options.selector, batchWindow: options.batchWindow,
            strict: options.isStrict, wireFormat: options.wireFormat,
            labels: options.alerting.furtherLabels, recording: recording,
            checkpoint: options.checkpoint, startingAt: version
        ) { [weak self] in
            self?.take($0)
        }
        let alerting = try makeAlerting(informer)
        state.withLock { state in
            state.informer = informer
            state.alerting = alerting
        }
        return informer
    }

    private func makeAlerting(
        _ informer: SharedNodeInformer
    ) throws(KubeError) -> ClusterAlerting {
        var engine = AlertEngine(
            cluster: name, rules: options.alerting.rules, detection: options.detection)
        var alertState: AlertState?
        if let folder = options.stateFolder {
            let identity = options.clusterName ?? client.configuration.clusterIdentity
            let kept = try AlertState(folder: folder, cluster: identity) { [weak self] in
                self?.take($0)
            }
            try kept.restore(&engine)
            alertState = kept
            state.withLock { $0.alertState = kept }
        }
        let delivery = try makeDelivery(options.alerting, alertState)
        try delivery.resume(at: Date())
        return ClusterAlerting(
            engine, informer, options.kubelets.map { KubeletClient(client, trust: $0) }, delivery,
            alertState, options.leadership, options.format, clusterWidth: clusterWidth,
            lastPatience: options.shutdownPatience,
            onLasting: { [onEvent] in onEvent(.lasting($0)) }
        ) { [weak self] in self?.tell($0) }
    }

    private func makeDelivery(
        _ alerting: RuleFile, _ alertState: AlertState?
    ) throws(KubeError) -> AlertDelivery {
        try AlertDelivery(
            alerting, state: alertState, right: options.leadership?.right, client: client,
            userAgent: Version.userAgent
        ) { [weak self] in self?.take($0) }
    }

    /// Goes on with the rules, sinks and silences of another file.
    func replaceAlerting(_ alerting: RuleFile) async throws(KubeError) {
        let (current, alertState) = state.withLock { ($0.alerting, $0.alertState) }
        guard let current else { return }
        try await current.replaceRules(alerting.rules, makeDelivery(alerting, alertState))
    }

    /// Keeps what nodes reported, where there is a state.
    func keepHistory(_ points: [(node: String, time: UInt32, bytes: Int?)]) {
        state.withLock { $0.alertState }?.keepHistory(points)
    }

    /// What nodes had reported, as far as it was kept.
    func history() throws(KubeError) -> [(node: String, time: UInt32, bytes: Int?)] {
        guard let alertState = state.withLock({ $0.alertState }) else { return [] }
        return try alertState.history()
    }

    private func take(_ event: AlertState.Event) {
        switch event {
        case .setAside(let reason, let path): say("state \(reason); kept as \(path)", .error)
        case .failed(let reason):
            say("\(reason); alerts go on, but would be lost with this process", .error)
        case .recovered: say("state can be written again")
        }
    }

    private func makeRecording() throws(KubeError) -> Recording? {
        guard let order = options.recording else { return nil }
        let recording = try order.begin(cluster: name) { [onEvent] in onEvent(.failed($0.message)) }
        state.withLock { $0.recording = recording }
        return recording
    }

    /// Bytes recorded so far; nil where nothing is.
    var recordedBytes: Int? { state.withLock { $0.recording }?.writtenBytes }

    /// Watches until the task is cancelled. What had been seen by then is still told.
    func run() async {
        guard let informer = state.withLock({ $0.informer }) else { return }
        // Begun before anything can happen, so that nothing is missed.
        let sequence = options.leadership == nil ? informer.changes() : informer.everyChange()
        let changes = sequence.makeAsyncIterator()
        guard let alerting = state.withLock({ $0.alerting }) else { return }
        let following = Task { [options] in
            await alerting.follow(changes, isSilent: !options.printsAlerts) { [weak self] in
                self?.state.withLock { $0.changes += 1 }
            }
        }
        try? await informer.run()
        await following.value
    }

    // MARK: Alerts

    /// How many alerts wait for each sink.
    var waiting: [(sink: String, alerts: Int)] {
        state.withLock { $0.alerting }?.waiting ?? []
    }

    private func take(_ event: AlertDelivery.Event) {
        onEvent(.delivery(event))
        switch event {
        case .delivered, .keptBack: break
        case .failed(let sink, let reason, let again):
            say("sink \(sink): \(reason); again in \(NumberText.seconds(again))", .warning)
        case .dropped(let sink, let reason, let alerts):
            say(
                "sink \(sink): \(alerts) alert\(alerts == 1 ? "" : "s") given up: \(reason)", .error
            )
        }
    }

    private func tell(_ lines: [AlertPrinter.Line]) {
        for line in lines {
            switch line {
            case .talk(let text): say(text)
            case .alert(let text, let alert):
                onEvent(.alert(alert))
                state.withLock { $0.alerts += 1 }
                if options.writesAlerts, !talk.alert(text) { onEvent(.outputClosed) }
            }
        }
    }

    // MARK: Talk

    private func take(_ notice: WatchNotice) {
        switch notice {
        case .listing(let nodes, let bytes):
            talk.show("\(name) · \(NumberText.grouped(nodes)) nodes, \(NumberText.bytes(bytes)) …")
        case .synced(let sync): synced(sync, notice.text ?? "")
        case .problem(let error, let delay, let version): problem(error, delay, version)
        case .resumed, .rejected, .checkpoint: notice.text.map { say($0) }
        case .handlerFailed: break
        }
    }

    private func synced(_ sync: WatchNotice.Sync, _ text: String) {
        let informer = state.withLock { state in
            state.isSynced = true
            state.lastProblem = nil
            return state.informer
        }
        if sync.isRelist {
            say(text)
        } else {
            let total = informer.map { " · \(storageText($0.store))" } ?? ""
            if talk.format == .text {
                talk.say("\(name) · \(text)\(total)")
            } else {
                say("\(text)\(total)")
            }
        }
        // Of connecting, and of the list that comes in beside the one that is there.
        process_memory_give_back()
        onEvent(.synced)
    }

    /// "reported image storage ≥ 182 TiB, compressed".
    private func storageText(_ store: NodeStore) -> String {
        let nodes = store.nodes
        let cap = ImageListCap(options.detection.cap, knowing: nodes)
        var storage = ImageStorageSum()
        var bases: Set<ImageSizeBasis> = []
        for node in nodes {
            storage.add(node.imageBytes, isTruncated: cap.isTruncated(node))
            if node.imageBytes != nil { bases.insert(node.basis) }
        }
        let basis =
            switch bases {
            case [.reportedCompressed]: ", compressed"
            case [.reportedUncompressed]: ", uncompressed"
            case []: ""
            default: ", partly compressed"
            }
        return "reported image storage \(storage.text)\(basis)"
    }

    private func problem(_ error: KubeError, _ delay: Duration, _ version: String?) {
        let text = ProblemText.text(error, client.configuration)
        let isSynced = state.withLock { state in
            state.lastProblem = text
            return state.isSynced
        }
        if !isSynced, !options.isPatient, ProblemText.isHopeless(error) {
            onEvent(.failed(clusterWidth == 0 ? text : "\(name): \(text)"))
            return
        }
        say(ProblemText.line(text, error, delay, version), .warning)
    }

    private func say(_ text: String, _ level: LogLevel = .info) {
        talk.note(
            text, level, cluster: clusterWidth == 0 && talk.format == .text ? nil : name)
    }

    // MARK: Statistics

    var statistics: StatisticsLine? {
        let state = state.withLock { $0 }
        guard let informer = state.informer else { return nil }
        return StatisticsLine(
            cluster: name, nodes: informer.store.count, informer.statistics,
            changes: state.changes, alerts: state.alerts)
    }
}
