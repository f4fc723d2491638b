package import KubeClient
import Synchronization

/// What every informer is, whatever it keeps: a cache that one thread fills, its readers, and the
/// rules of starting and stopping.
package final class InformerCore<Table: CacheTable>: Sendable {
    package typealias Object = Table.Object

    package let hub = Hub<Table>()
    let counters = WatchCounters()
    package let canceller: Canceller
    private let queueLimit: Int
    private let resync: Duration?
    private let onHandlerError: @Sendable (any Error) -> Void
    private let hasRun = Locked(false)

    package init(
        queueLimit: Int, resync: Duration?, onHandlerError: @escaping @Sendable (any Error) -> Void
    ) throws(KubeError) {
        self.queueLimit = queueLimit
        self.resync = resync
        self.onHandlerError = onHandlerError
        canceller = try Canceller()
    }

    // Who was never run, or is dropped by its owner, has nothing more to tell: else its readers would
    // wait, and keep it, for ever.
    deinit { hub.finish() }

    package func changes() -> ObjectChanges<Object> {
        ObjectChanges(source: hub, queueLimit: queueLimit)
    }

    @discardableResult
    package func addHandler(
        resync: Duration?,
        _ handler: @escaping @Sendable (ObjectChange<Object>) async throws -> Void
    ) -> HandlerRegistration {
        // Subscribed here and not in the task, so that nothing is missed from now on.
        let reader = ObjectChanges<Object>.AsyncIterator(hub, queueLimit: queueLimit)
        let id = reader.id
        let start = Locked<ObjectChanges<Object>.AsyncIterator?>(reader)
        let onHandlerError = onHandlerError
        let task = Task {
            guard var changes = start.withLock({ $0.take() }) else { return }
            while let change = await changes.next() {
                if Task.isCancelled { return }
                do {
                    try await handler(change)
                } catch {
                    // One change that a handler cannot deal with keeps nobody from the next.
                    onHandlerError(error)
                }
            }
        }
        let hub = hub
        let resyncing = (resync ?? self.resync).map { period in
            // More often than once a second makes no sense of anything.
            Task { [period = max(period, .seconds(1))] in
                while (try? await Task.sleep(for: period)) != nil, hub.resync(id) {}
            }
        }
        return HandlerRegistration(id, hub, task, resyncing: resyncing)
    }

    /// Runs a body on a thread of its own until the task is cancelled; then readers get what is
    /// queued, and the end. Once only.
    ///
    /// - Throws: `request` when it has run before.
    package func run(_ body: @escaping @Sendable () -> Void) async throws(KubeError) {
        let isFirst = hasRun.withLock { hasRun in
            defer { hasRun = true }
            return !hasRun
        }
        guard isFirst else { throw KubeError(.request, "an informer runs once; make another") }
        await withTaskCancellationHandler {
            await DedicatedThread.run(body)
        } onCancel: {
            canceller.cancel()
        }
        counters.note { $0.state = .stopped }
        hub.finish()
    }

    var freshness: Freshness {
        let (hasSynced, version) = hub.read { ($0.hasSynced, $0.version?.string) }
        return counters.freshness(hasSynced: hasSynced, resourceVersion: version)
    }

    /// Waits until the cache is at least at a resourceVersion, such as that of an object just
    /// written.
    ///
    /// - Throws: `cancelled`; `request` for a version without an order.
    package func wait(untilAtLeast text: String) async throws(KubeError) {
        guard let wanted = ResourceVersion(text), wanted.isOlder(than: wanted) != nil else {
            throw KubeError(.request, "\"\(text)\" is no resourceVersion that has an order")
        }
        let isThere = await hub.wait { state in
            state.version.map { $0.isOlder(than: wanted) == false } ?? false
        }
        guard isThere else {
            throw KubeError(
                .cancelled, "the informer ended before resourceVersion \(text) came")
        }
    }
}
