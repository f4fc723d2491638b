import KubeClient
import Synchronization

/// What the stream's thread writes and everybody else reads: the table of objects, and what each
/// reader still has to be told. One lock over all of it, held for one batch at a time.
package final class Hub<Table: CacheTable>: ChangeSource {
    package typealias Object = Table.Object

    fileprivate struct Subscriber: Sendable {
        var queue: HandlerQueue<Table>
        var signal: AsyncStream<Void>.Continuation
        var walk: HandlerWalk<Table>?
        /// It has taken in all that was there when it began.
        var hasSynced = false
        /// How often it came back and there was nothing for it, and whether that was so the last time.
        var idleTurns = 0
        var isIdle = false

        /// It has dealt with all that it was told, and nothing waits for it.
        var hasDealtWithAll: Bool { isIdle && walk == nil && queue.isEmpty }
    }

    /// Somebody waits for something to become true.
    private struct Waiter: Sendable {
        var condition: @Sendable (borrowing State) -> Bool
        var continuation: CheckedContinuation<Bool, Never>
    }

    package struct State: Sendable {
        package fileprivate(set) var table = Table()
        package fileprivate(set) var version: ResourceVersion?
        package fileprivate(set) var hasSynced = false
        package fileprivate(set) var isFinished = false
        fileprivate var indexes: [Int: CacheIndex<Object>] = [:]
        fileprivate var nextIndex = 0
        fileprivate var subscribers: [Int: Subscriber] = [:]
        fileprivate var nextSubscriber = 0
    }

    private let state = Locked(State())
    /// Looked at after every change, without the state's lock held for long.
    private let waiters = Locked<[Int: Waiter]>([:])
    private let nextWaiter = Atomic(0)

    package init() {}

    /// Changes handed to a reader at a time.
    private static var pieceSize: Int { 256 }

    // MARK: Reading

    package func read<Result: Sendable>(_ body: (borrowing State) -> Result) -> Result {
        state.withLock { body($0) }
    }

    /// The table as it is now.
    package var table: Table { state.withLock { $0.table } }

    // MARK: Writing

    /// One batch's worth of events.
    package struct Transaction: ~Copyable {
        fileprivate var state: State
        fileprivate var touched = false

        /// Applies an event to the table and tells every reader's queue.
        package mutating func apply(_ change: (inout Table) -> CacheOutcome<Object>)
            -> CacheOutcome<Object>
        {
            let outcome = change(&state.table)
            switch outcome {
            case .heartbeat, .outdated, .broken, .unusable: return outcome
            case .added, .updated, .replaced, .deleted: break
            }
            touched = true
            for id in state.indexes.keys { state.indexes[id]!.update(outcome) }
            for id in state.subscribers.keys {
                state.subscribers[id]!.queue.enqueue(outcome, table: state.table)
            }
            return outcome
        }

        package mutating func advance(to version: ResourceVersion) { state.version = version }
    }

    /// Applies a batch under the lock, then wakes the readers.
    package func apply<Result: Sendable>(_ body: (inout Transaction) -> Result) -> Result {
        let (result, signals) = state.withLock { state in
            // Moved out and back in: the table must not be copied when it is written.
            var transaction = Transaction(state: exchange(&state, with: State()))
            let result = body(&transaction)
            let touched = transaction.touched
            state = transaction.finish()
            return (result, touched ? state.subscribers.values.map(\.signal) : [])
        }
        for signal in signals { signal.yield() }
        wakeWaiters()
        return result
    }

    /// Begins with what was known some time ago: readers get that for the first list, and what is different by
    /// now as changes, however long they take to come for it. Before the first list only.
    package func restore(_ table: Table, version: ResourceVersion) {
        install(table, version) { queue, _, _ in queue.begin(with: table) }
    }

    /// Puts a whole list in the table's place. Readers are told what differs.
    package func replace(with new: Table, version: ResourceVersion?) {
        install(new, version) { queue, old, outcomes in
            queue.enqueue(outcomes, old: old, new: new)
        }
    }

    /// - Parameter tell: Told the table before, and what differs from it where it was a whole one.
    private func install(
        _ new: Table, _ version: ResourceVersion?,
        tell: (inout HandlerQueue<Table>, _ old: Table, [CacheOutcome<Object>]) -> Void
    ) {
        let signals = state.withLock { state in
            let old = state.table
            let outcomes = state.hasSynced ? old.difference(to: new) : []
            state.table = new
            state.version = version
            state.hasSynced = true
            for id in state.indexes.keys { state.indexes[id]!.rebuild(new) }
            for id in state.subscribers.keys {
                tell(&state.subscribers[id]!.queue, old, outcomes)
            }
            return state.subscribers.values.map(\.signal)
        }
        for signal in signals { signal.yield() }
        wakeWaiters()
    }

    /// No more events will come. Readers get what is queued and then the end.
    package func finish() {
        let signals = state.withLock { state in
            state.isFinished = true
            return state.subscribers.values.map(\.signal)
        }
        for signal in signals { signal.finish() }
        wakeWaiters()
    }

    // MARK: Waiting

    /// Waits until a condition holds. False when the task was cancelled, or no more changes come.
    package func wait(until condition: @escaping @Sendable (borrowing State) -> Bool) async -> Bool
    {
        let id = nextWaiter.wrappingAdd(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiters.withLock {
                    $0[id] = Waiter(condition: condition, continuation: continuation)
                }
                // It may hold already, or the task may have been cancelled before.
                if Task.isCancelled { endWait(id) }
                wakeWaiters()
            }
        } onCancel: {
            endWait(id)
        }
    }

    private func endWait(_ id: Int) {
        waiters.withLock { $0.removeValue(forKey: id) }?.continuation.resume(returning: false)
    }

    private func wakeWaiters() {
        let all = waiters.withLock { $0 }
        if all.isEmpty { return }
        let (met, isFinished) = state.withLock { state in
            (all.filter { $0.value.condition(state) }.map(\.key), state.isFinished)
        }
        for id in isFinished ? Array(all.keys) : met {
            // Who comes first ends the wait, once.
            let waiter = waiters.withLock { $0.removeValue(forKey: id) }
            waiter?.continuation.resume(returning: met.contains(id))
        }
    }

    // MARK: Indexes

    package func addIndex(_ values: @escaping @Sendable (Object) -> [String]) -> Int {
        state.withLock { state in
            var index = CacheIndex(values)
            index.rebuild(state.table)
            state.nextIndex += 1
            state.indexes[state.nextIndex] = index
            return state.nextIndex
        }
    }

    package func removeIndex(_ id: Int) { state.withLock { $0.indexes[id] = nil } }

    package func find(_ value: String, inIndex id: Int) -> [Object] {
        state.withLock { state in
            (state.indexes[id]?.keys[value] ?? []).compactMap { state.table[$0] }
        }
    }

    package func values(ofIndex id: Int) -> [String] {
        state.withLock { state in (state.indexes[id]?.keys).map { Array($0.keys) } ?? [] }
    }

    // MARK: Readers

    /// A new reader: it gets the objects that are there, then what happens. Wait for `signal` whenever
    /// `next()` has nothing.
    package func subscribe(
        queueLimit: Int, merges: Bool = true
    ) -> (id: Int, signal: AsyncStream<Void>) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.nextSubscriber += 1
            state.subscribers[state.nextSubscriber] = Subscriber(
                queue: HandlerQueue<Table>(limit: queueLimit, merges: merges), signal: continuation)
            if state.isFinished { continuation.finish() }
            return state.nextSubscriber
        }
        return (id, stream)
    }

    package func unsubscribe(_ id: Int) {
        let subscriber = state.withLock { $0.subscribers.removeValue(forKey: id) }
        subscriber?.signal.finish()
        wakeWaiters()
    }

    /// Who has not dealt yet with all that has happened until now, and how often each had nothing to do.
    package struct Backlog: Sendable {
        fileprivate var turns: [Int: Int]
    }

    /// The table and its version as they are now, and who is behind; nil before the first list.
    package func snapshot() -> (table: Table, version: ResourceVersion, backlog: Backlog)? {
        state.withLock { state in
            guard state.hasSynced, let version = state.version else { return nil }
            let behind = state.subscribers.filter { !$0.value.hasDealtWithAll }
            return (state.table, version, Backlog(turns: behind.mapValues(\.idleTurns)))
        }
    }

    /// Waits until every reader has dealt with what had happened by then, or is gone. False when the task was
    /// cancelled.
    package func waitUntilDealtWith(_ backlog: Backlog) async -> Bool {
        let isDone: @Sendable (borrowing State) -> Bool = { state in
            backlog.turns.allSatisfy { id, turns in
                (state.subscribers[id]?.idleTurns ?? .max) > turns
            }
        }
        // No more changes may come, and readers still be at work.
        while !Task.isCancelled {
            if await wait(until: isDone) || read(isDone) { return true }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return false }
        }
        return false
    }

    /// Tells a reader again of every object that is there, as updates to themselves. False when it is
    /// gone, or no more changes come.
    @discardableResult
    package func resync(_ id: Int) -> Bool {
        let signal = state.withLock { state in
            state.subscribers[id]?.queue.resync()
            return state.isFinished ? nil : state.subscribers[id]?.signal
        }
        signal?.yield()
        return signal != nil
    }

    /// Whether a reader has come back for more after it was told all that was there at first.
    package func hasSynced(_ id: Int) -> Bool {
        state.withLock { $0.subscribers[id]?.hasSynced ?? false }
    }

    /// Waits for that. False when the reader is gone or no more changes come.
    package func waitUntilSynced(_ id: Int) async -> Bool {
        _ = await wait { $0.subscribers[id]?.hasSynced ?? true }
        return hasSynced(id)
    }

    /// How many objects' changes wait for a reader in its queue.
    package func waiting(_ id: Int) -> Int {
        state.withLock { $0.subscribers[id]?.queue.count ?? 0 }
    }

    /// The next changes for a reader; empty when there are none now.
    package func next(_ id: Int) -> [ObjectChange<Object>] {
        let changes = takeNext(id)
        state.withLock { state in
            state.subscribers[id]?.isIdle = changes.isEmpty
            if changes.isEmpty { state.subscribers[id]?.idleTurns += 1 }
        }
        if changes.isEmpty { wakeWaiters() }
        return changes
    }

    private func takeNext(_ id: Int) -> [ObjectChange<Object>] {
        while true {
            // A walk is taken out of the state, so that its pieces are made without the lock.
            let (walk, changes): (HandlerWalk<Table>?, [ObjectChange<Object>]) = state.withLock {
                state in
                guard var subscriber = state.subscribers[id] else { return (nil, []) }
                if let walk = subscriber.walk {
                    state.subscribers[id]!.walk = nil
                    return (walk, [])
                }
                let work = subscriber.queue.next(
                    state.table, hasSynced: state.hasSynced, limit: Self.pieceSize)
                state.subscribers[id] = subscriber
                switch work {
                case .none: return (nil, [])
                case .changes(let changes): return (nil, changes)
                case .walk(let walk): return (walk, [])
                }
            }
            guard var walk else { return changes }
            guard let piece = walk.next(Self.pieceSize) else {
                if walk.kind == .initialList {
                    state.withLock { $0.subscribers[id]?.hasSynced = true }
                    wakeWaiters()
                }
                continue
            }
            state.withLock { $0.subscribers[id]?.walk = walk }
            if !piece.isEmpty { return piece }
        }
    }
}

extension Hub.Transaction {
    fileprivate consuming func finish() -> Hub.State { state }
}

/// Puts a value in another's place and gives the old one.
private func exchange<Value>(_ value: inout Value, with new: Value) -> Value {
    let old = value
    value = new
    return old
}
