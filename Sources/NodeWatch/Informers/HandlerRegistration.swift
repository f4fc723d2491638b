import Synchronization

/// A handler that was added to an informer. Thread-safe.
public final class HandlerRegistration: Sendable {
    private let reader: Int
    private let state: any RegistrationSource
    private let task: Task<Void, Never>
    private let resyncing: Task<Void, Never>?

    init(
        _ reader: Int, _ state: any RegistrationSource, _ task: Task<Void, Never>,
        resyncing: Task<Void, Never>?
    ) {
        self.reader = reader
        self.state = state
        self.task = task
        self.resyncing = resyncing
    }

    /// Whether the handler has dealt with every object that was there when it was added.
    public var hasSynced: Bool { state.hasSynced(reader) }

    /// How many objects' changes wait for the handler, at most the queue's limit.
    public var waitingCount: Int { state.waiting(reader) }

    /// Waits until the handler has dealt with every object that was there when it was added. False
    /// when it was removed, or the informer stopped, before that.
    @discardableResult
    public func synced() async -> Bool { await state.waitUntilSynced(reader) }

    /// Ends it. The handler is not called again, but for a call that is under way. May be called from
    /// inside the handler, and more than once.
    public func remove() {
        task.cancel()
        resyncing?.cancel()
    }

    /// Waits until the handler is not called any more: after ``remove()``, or when the informer has
    /// stopped and the handler has dealt with what it was still told. Never to be waited for inside
    /// the handler.
    public func ended() async { await task.value }
}

/// What a registration asks of a hub, whatever its table.
protocol RegistrationSource: AnyObject, Sendable {
    func hasSynced(_ id: Int) -> Bool
    func waiting(_ id: Int) -> Int
    func waitUntilSynced(_ id: Int) async -> Bool
}

extension Hub: RegistrationSource {}
