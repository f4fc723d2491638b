public import KubeClient

/// Keeps the nodes of a cluster in a store, and tells what happens to them: one stream and one cache,
/// however many read it.
///
/// ```swift
/// let client = KubeClient(try KubeConfiguration.load())
/// let nodes = try SharedNodeInformer(client: client)
/// nodes.addHandler { change in print(change.node) }
/// try await nodes.run()    // until the task is cancelled
/// ```
///
/// It lists, watches, resumes and lists again as the server demands, for ever: a server that is
/// away, or refuses, is asked again after a growing delay. Broken connections lose no change.
///
/// **Handlers.** Each is called with one change after another, off the stream's thread: first with
/// the nodes that are there, marked as initial, then with what happens, without a gap and without a
/// repetition. One that is slow, blocked, or throws delays nobody: what waits for it is merged by
/// node and bounded (see ``NodeChange`` and the table in the documentation), and its last word on a
/// node is the store's.
///
/// **Starting and stopping.** Handlers, indexes and sequences may be added before, during and after
/// ``run()``. When its task is cancelled they get what is queued, and the end; the store stays
/// readable. An informer runs once.
///
/// All methods may be called from any thread.
public final class SharedNodeInformer: Sendable {
    private let client: KubeClient
    private let selector: NodeSelector
    private let core: InformerCore<NodeTable>
    private let onNotice: @Sendable (WatchNotice) -> Void
    private let options: RunnerOptions
    private let reader: NodeReader
    private let recording: Recording?
    private let checkpoint: NodeCheckpoint?
    private let firstVersion: String?

    /// Makes an informer. Nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - client: Whose nodes.
    ///   - selector: Which of them.
    ///   - resync: Every so often each handler is told again of every node there is, as an update to
    ///     itself, from the store and without asking the server. At least a second; nil: never.
    ///   - batchWindow: What comes is read at such intervals, so that a busy cluster does not wake the
    ///     reader for each event: most of what watching costs. A change is noticed so much later at most;
    ///     the kubelet itself takes up to 40 s to report one. Zero: as it comes.
    ///   - strict: Every byte goes through a parser. Without it, what nobody asks for is skipped, in JSON
    ///     by its brackets and quotes, and faults in there go unseen.
    ///   - wireFormat: What to ask the server for.
    ///   - labels: Keys of labels to keep beyond ``NodeSummary/keptLabels``, ``NodeSummary/mostFurtherLabels``
    ///     at most; what is more is not kept.
    ///   - queueLimit: For so many nodes changes may wait for one slow reader, before its queue is
    ///     dropped and it is told the difference instead.
    ///   - checkpoint: Where what is known is kept, to go on from there the next time. Nil: nowhere.
    ///   - firstVersion: A resourceVersion: begin with the nodes as they were at that, if the server remembers
    ///     (about 5 minutes), so that all that has happened since is told as changes. What a checkpoint has
    ///     goes before it.
    ///   - onNotice: Called on the stream's thread with what becomes of the connection; must not
    ///     block.
    /// - Throws: `memory`.
    public convenience init(
        client: KubeClient, selector: NodeSelector = .all, resync: Duration? = nil,
        batchWindow: Duration = .milliseconds(50), strict: Bool = false,
        wireFormat: WireFormat = .automatic, labels: [String] = [], queueLimit: Int = 10_000,
        checkpoint: NodeCheckpoint? = nil, startingAt firstVersion: String? = nil,
        onNotice: @escaping @Sendable (WatchNotice) -> Void = { _ in }
    ) throws(KubeError) {
        try self.init(
            client: client, selector: selector, resync: resync, batchWindow: batchWindow,
            strict: strict, wireFormat: wireFormat, labels: labels, queueLimit: queueLimit,
            recording: nil, checkpoint: checkpoint, startingAt: firstVersion, onNotice: onNotice)
    }

    /// One whose traffic may be recorded.
    package convenience init(
        client: KubeClient, selector: NodeSelector, resync: Duration? = nil, batchWindow: Duration,
        strict: Bool, wireFormat: WireFormat, labels: [String], queueLimit: Int = 10_000,
        recording: Recording?,
        checkpoint: NodeCheckpoint?, startingAt firstVersion: String? = nil,
        onNotice: @escaping @Sendable (WatchNotice) -> Void
    ) throws(KubeError) {
        var options = RunnerOptions()
        options.batchWindow = batchWindow
        try self.init(
            client: client, selector: selector, resync: resync,
            reader: NodeReader(isStrict: strict, wireFormat, labels: labels),
            queueLimit: queueLimit,
            options: options, recording: recording, checkpoint: checkpoint,
            startingAt: firstVersion, onNotice: onNotice)
    }

    /// One with another patience. For tests.
    package convenience init(
        client: KubeClient, options: RunnerOptions, checkpoint: NodeCheckpoint? = nil,
        startingAt firstVersion: String? = nil,
        onNotice: @escaping @Sendable (WatchNotice) -> Void
    ) throws(KubeError) {
        try self.init(
            client: client, selector: .all, resync: nil,
            reader: NodeReader(isStrict: false, .automatic), queueLimit: 10_000, options: options,
            recording: nil, checkpoint: checkpoint, startingAt: firstVersion, onNotice: onNotice)
    }

    private init(
        client: KubeClient, selector: NodeSelector, resync: Duration?, reader: NodeReader,
        queueLimit: Int, options: RunnerOptions, recording: Recording?,
        checkpoint: NodeCheckpoint?, startingAt firstVersion: String?,
        onNotice: @escaping @Sendable (WatchNotice) -> Void
    ) throws(KubeError) {
        self.client = client
        self.selector = selector
        self.options = options
        self.reader = reader
        self.recording = recording
        self.checkpoint = checkpoint
        self.firstVersion = firstVersion
        self.onNotice = onNotice
        core = try InformerCore(queueLimit: queueLimit, resync: resync) {
            onNotice(.handlerFailed($0))
        }
    }

    /// The nodes as they are known now.
    public var store: NodeStore { NodeStore(core: core) }

    /// Counts since ``run()``.
    public var statistics: WatchStatistics { core.counters.current }

    /// How fresh the store is.
    public var freshness: Freshness { core.freshness }

    /// Nodes that nothing has been heard of for so long: no change, no heartbeat, no list they were in. To
    /// the second, and in no particular order. A kubelet sends a heartbeat every 5 minutes; how long the
    /// server itself has been silent says ``freshness``.
    public func silentNodes(
        for limit: Duration
    ) -> [(node: NodeSummary, silence: Duration)] {
        guard let epoch = core.counters.epoch else { return [] }
        let now = (ContinuousClock.now - epoch).components.seconds
        let latest = now - limit.components.seconds
        return core.hub.table.entries.compactMap { entry in
            Int64(entry.seen) > latest
                ? nil : (entry.summary, .seconds(now - Int64(entry.seen)))
        }
    }

    /// How far the store has come; nil before the first list.
    package var progress: ResourceVersion? {
        core.hub.read { $0.hasSynced ? $0.version : nil }
    }

    /// Waits until every reader has dealt with all that the store knows by now. False when the task was
    /// cancelled, or nothing is known.
    package func waitUntilTold() async -> Bool {
        guard let known = core.hub.snapshot() else { return false }
        return await core.hub.waitUntilDealtWith(known.backlog)
    }

    /// What happens, as a sequence. Each iteration begins with the nodes that are there.
    public func changes() -> NodeChanges { core.changes() }

    /// The same, every change by itself, as long as no more wait than objects may: what one process makes of
    /// them another makes, too.
    package func everyChange() -> NodeChanges {
        var changes = core.changes()
        changes.merges = false
        return changes
    }

    /// Adds a handler.
    ///
    /// - Parameters:
    ///   - resync: Instead of the informer's own.
    ///   - handler: Called with one change after another. What it throws is told to `onNotice`, and
    ///     it goes on with the next change.
    @discardableResult
    public func addHandler(
        resync: Duration? = nil,
        _ handler: @escaping @Sendable (NodeChange) async throws -> Void
    ) -> HandlerRegistration {
        core.addHandler(resync: resync, handler)
    }

    /// Watches until the task is cancelled. Then readers get what is queued, and the end.
    ///
    /// - Throws: `request` when it has run before.
    public func run() async throws(KubeError) {
        let keeping = Task { await keepCheckpoint() }
        defer { keeping.cancel() }
        let (client, selector, core) = (client, selector, core)
        let (options, reader, onNotice) = (options, reader, onNotice)
        let (recording, checkpoint, firstVersion) = (recording, checkpoint, firstVersion)
        try await core.run {
            let known = checkpoint?.load(
                cluster: client.configuration.clusterIdentity, selector
            ) { onNotice(.checkpoint($0)) }
            let restored = known.map { ($0.table, $0.version) }
            func watch(_ outside: some Surroundings) {
                ReflectorRunner(
                    outside, reader, selector, core.hub, core.counters, options,
                    restored: restored, firstVersion: firstVersion, notify: onNotice
                ).run()
            }
            let network = Network(client, core.canceller)
            if let recording { watch(Recorder(network, recording)) } else { watch(network) }
        }
        keeping.cancel()
        await keeping.value
        // The task may be cancelled; what it did is to be kept all the same.
        await Task { _ = await saveCheckpoint(within: Self.lastPatience) }.value
    }

    /// At the end nobody waits longer for slow readers.
    private static let lastPatience = Duration.seconds(5)

    /// Writes the checkpoint now and then until the task is cancelled.
    private func keepCheckpoint() async {
        guard let checkpoint else { return }
        // At once after the first list: who is killed before that has nothing to compare with.
        guard await core.hub.wait(until: { $0.hasSynced }) else { return }
        var written = await saveCheckpoint(within: checkpoint.interval)
        while (try? await Task.sleep(for: checkpoint.interval)) != nil {
            if core.hub.read({ $0.version }) == written { continue }
            written = await saveCheckpoint(within: checkpoint.interval) ?? written
        }
    }

    /// Writes what is known now, as soon as every reader has dealt with it: what nobody was told must not
    /// count as known. Nil: not in time, or not at all.
    private func saveCheckpoint(within patience: Duration) async -> ResourceVersion? {
        let hub = core.hub
        guard let checkpoint, let known = hub.snapshot() else { return nil }
        let isDealtWith = await withTaskGroup(of: Bool.self) { group in
            group.addTask { await hub.waitUntilDealtWith(known.backlog) }
            group.addTask {
                try? await Task.sleep(for: patience)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        guard isDealtWith else { return nil }
        let (cluster, selector) = (client.configuration.clusterIdentity, selector)
        // Not in the pool: a disk may take its time.
        let fault = await DedicatedThread.run { () -> KubeError? in
            do throws(KubeError) {
                try checkpoint.save(known.table, known.version, cluster: cluster, selector)
                return nil
            } catch {
                return error
            }
        }
        if let fault { onNotice(.checkpoint(.failed(fault))) }
        return fault == nil ? known.version : nil
    }
}
