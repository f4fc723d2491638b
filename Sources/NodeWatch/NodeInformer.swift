public import KubeClient
import Synchronization

/// Keeps the nodes of a cluster in a store, and tells what happens to them.
///
/// ```swift
/// let client = KubeClient(try KubeConfiguration.load())
/// let informer = try NodeInformer(client: client)
/// informer.addHandler { change in print(change.node) }
/// try await informer.run()    // until the task is cancelled
/// ```
///
/// It lists, watches, resumes and lists again as the server demands, for ever: a server that is
/// away, or refuses, is asked again after a growing delay. Broken connections lose no change. All
/// methods may be called from any thread.
public final class NodeInformer: Sendable {
    /// A handler's registration.
    public struct Registration: Sendable {
        let task: Task<Void, Never>

        /// Ends it. The handler is not called again, but for a call that is under way.
        public func remove() { task.cancel() }
    }

    private let client: KubeClient
    private let selector: NodeSelector
    private let hub = NodeHub()
    private let counters = WatchCounters()
    private let canceller: Canceller
    private let queueLimit: Int
    private let onNotice: @Sendable (WatchNotice) -> Void
    private let hasRun = Mutex(false)
    let options: ReflectorRunner.Options

    /// Makes an informer. Nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - client: Whose nodes.
    ///   - selector: Which of them.
    ///   - queueLimit: For so many nodes changes may wait for one slow reader, before its queue is
    ///     dropped and it is told the difference instead.
    ///   - onNotice: Called on the stream's thread with what becomes of the connection; must not
    ///     block.
    /// - Throws: `memory`.
    public convenience init(
        client: KubeClient, selector: NodeSelector = .all, queueLimit: Int = 10_000,
        onNotice: @escaping @Sendable (WatchNotice) -> Void = { _ in }
    ) throws(KubeError) {
        try self.init(
            client: client, selector: selector, queueLimit: queueLimit, options: .init(),
            onNotice: onNotice)
    }

    /// One with less patience for a streaming list that has no end. For tests.
    package convenience init(
        client: KubeClient, endBookmarkPatience: Duration,
        onNotice: @escaping @Sendable (WatchNotice) -> Void
    ) throws(KubeError) {
        var options = ReflectorRunner.Options()
        options.endBookmarkPatience = endBookmarkPatience
        try self.init(
            client: client, selector: .all, queueLimit: 10_000, options: options,
            onNotice: onNotice)
    }

    init(
        client: KubeClient, selector: NodeSelector, queueLimit: Int,
        options: ReflectorRunner.Options, onNotice: @escaping @Sendable (WatchNotice) -> Void
    ) throws(KubeError) {
        self.client = client
        self.selector = selector
        self.queueLimit = queueLimit
        self.options = options
        self.onNotice = onNotice
        canceller = try Canceller()
    }

    /// The nodes as they are known now.
    public var store: NodeStore { NodeStore(hub: hub) }

    /// Counts since ``run()``.
    public var statistics: WatchStatistics { counters.current }

    /// What happens, as a sequence. Each iteration begins with the nodes that are there.
    public func changes() -> NodeChanges { NodeChanges(source: hub, queueLimit: queueLimit) }

    /// Calls a handler with what happens, one change after another, off the stream's thread. It is
    /// told of the nodes that are there first; a slow handler delays nobody (see ``NodeChange``).
    @discardableResult
    public func addHandler(
        _ handler: @escaping @Sendable (NodeChange) async -> Void
    ) -> Registration {
        // Subscribed here and not in the task, so that nothing is missed from now on.
        let iterator = Mutex<NodeChanges.AsyncIterator?>(changes().makeAsyncIterator())
        return Registration(
            task: Task {
                guard var iterator = iterator.withLock({ $0.take() }) else { return }
                while let change = await iterator.next() { await handler(change) }
            })
    }

    /// Watches until the task is cancelled. Then readers get what is queued, and the end. An
    /// informer runs once.
    ///
    /// - Throws: `request` when it has run before.
    public func run() async throws(KubeError) {
        let isFirst = hasRun.withLock { hasRun in
            defer { hasRun = true }
            return !hasRun
        }
        guard isFirst else { throw KubeError(.request, "a NodeInformer runs once; make another") }
        await withTaskCancellationHandler {
            let (client, selector, hub, canceller) = (client, selector, hub, canceller)
            let (counters, options, onNotice) = (counters, options, onNotice)
            await DedicatedThread.run {
                ReflectorRunner(
                    client, selector, hub, canceller, counters, options, notify: onNotice
                ).run()
            }
        } onCancel: {
            canceller.cancel()
        }
        hub.finish()
    }
}
