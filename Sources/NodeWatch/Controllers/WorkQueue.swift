public import KubeClient
import Synchronization

/// Keys that want work, each worked on by one worker at a time: the other half of a controller.
///
/// Handlers add keys; workers take them, do what must be done for the object of that key *as it is
/// then*, and say that they are done. A key that is added several times before a worker takes it is
/// worked on once; one that is added while it is worked on is worked on again after that. Nothing that
/// was added is lost, but by ``shutDown()``'s leave. The rules are those of client-go's `workqueue`.
///
/// ```swift
/// let queue = WorkQueue<String>()
/// informer.addHandler { change in queue.add(change.object.key) }
/// await queue.run(workers: 4) { key in try await reconcile(key) }    // until cancelled
/// ```
///
/// Thread-safe.
public final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct State {
        /// In the order in which they want work, none of them in `working`.
        var queue = Line<Key>()
        /// Those that want work: in `queue`, or in `working` and added again.
        var dirty: Set<Key> = []
        var working: Set<Key> = []
        /// Keys that are to be added later, and when; the heap has them in order of time, with
        /// entries that do not count any more.
        var delayed: [Key: ContinuousClock.Instant] = [:]
        var deadlines = DeadlineHeap<Key>()
        var timer: (deadline: ContinuousClock.Instant, task: Task<Void, Never>)?
        var failures: [Key: Int] = [:]
        var idle: [(id: Int, continuation: CheckedContinuation<Key?, Never>)] = []
        var nextIdle = 0
        var draining: [CheckedContinuation<Void, Never>] = []
        var isShutDown = false

        var waitingCount: Int { queue.count }
    }

    private let state = Locked(State())
    private let backoff: Backoff
    private let limiter: RateLimiter

    /// How long to wait before a key is tried again.
    public struct Backoff: Sendable, Hashable {
        /// After the first failure; doubled after each further one.
        public var first: Duration
        /// Never longer than this.
        public var longest: Duration
        /// Retries of all keys together.
        public var rate: RequestRate

        /// Any.
        public init(first: Duration, longest: Duration, rate: RequestRate) {
            self.first = max(first, .zero)
            self.longest = max(longest, first)
            self.rate = rate
        }

        /// client-go's: 5 ms, doubled up to 1,000 s, and 10 a second after a hundred at once.
        public static var standard: Backoff {
            Backoff(
                first: .milliseconds(5), longest: .seconds(1000),
                rate: RequestRate(perSecond: 10, burst: 100))
        }

        func delay(afterFailures failures: Int) -> Duration {
            // 2^40 times anything is longer than any longest.
            min(first * (1 << min(failures, 40)), longest)
        }
    }

    /// An empty queue.
    public init(backoff: Backoff = .standard) {
        self.backoff = backoff
        limiter = RateLimiter(backoff.rate)
    }

    // MARK: Adding

    /// Wants work on a key. Does nothing where that is wanted already, and after ``shutDown()``.
    public func add(_ key: Key) {
        let resumed = state.withLock { state in Self.add(key, &state) }
        resumed?.resume(returning: key)
    }

    private static func add(_ key: Key, _ state: inout State) -> CheckedContinuation<Key?, Never>? {
        guard !state.isShutDown, state.dirty.insert(key).inserted, !state.working.contains(key)
        else { return nil }
        return enqueue(key, &state)
    }

    /// Gives a key to an idle worker, whom the caller must resume with it, or puts it in the queue.
    private static func enqueue(
        _ key: Key, _ state: inout State
    ) -> CheckedContinuation<Key?, Never>? {
        if state.idle.isEmpty {
            state.queue.append(key)
            return nil
        }
        state.dirty.remove(key)
        state.working.insert(key)
        return state.idle.removeFirst().continuation
    }

    /// Wants work on a key after a time. Of several times the earliest counts.
    public func add(_ key: Key, after delay: Duration) {
        guard delay > .zero else { return add(key) }
        let deadline = ContinuousClock.now + delay
        state.withLock { state in
            if state.isShutDown { return }
            if let known = state.delayed[key], known <= deadline { return }
            state.delayed[key] = deadline
            state.deadlines.insert(deadline, key)
            setTimer(&state)
        }
    }

    /// Wants work on a key that failed, after a time that grows with each failure.
    public func addRateLimited(_ key: Key) {
        let failures = state.withLock { state in
            let failures = state.failures[key, default: 0]
            state.failures[key] = failures + 1
            return failures
        }
        add(key, after: max(backoff.delay(afterFailures: failures), limiter.reserve()))
    }

    /// Forgets a key's failures: the next time it waits briefly again. To be called when its work
    /// has succeeded, or is given up. It does not take the key out of the queue.
    public func forget(_ key: Key) { state.withLock { $0.failures[key] = nil } }

    /// How often a key was added rate-limited since it was forgotten.
    public func failures(of key: Key) -> Int { state.withLock { $0.failures[key] ?? 0 } }

    // MARK: Working

    /// The next key to work on; waits for one. Nil when the queue is shut down and empty, or the task
    /// is cancelled. Every key must be given back with ``done(_:)``.
    public func next() async -> Key? {
        let id = state.withLock { state in
            state.nextIdle += 1
            return state.nextIdle
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isDecided, key) = state.withLock { state -> (Bool, Key?) in
                    if Task.isCancelled { return (true, nil) }
                    if let key = Self.take(&state) { return (true, key) }
                    if state.isShutDown { return (true, nil) }
                    state.idle.append((id, continuation))
                    return (false, nil)
                }
                if isDecided { continuation.resume(returning: key) }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                state.idle.firstIndex { $0.id == id }.map {
                    state.idle.remove(at: $0).continuation
                }
            }
            continuation?.resume(returning: nil)
        }
    }

    private static func take(_ state: inout State) -> Key? {
        guard let key = state.queue.next() else { return nil }
        state.dirty.remove(key)
        state.working.insert(key)
        return key
    }

    /// The work on a key is over, be it that it failed. If it was added meanwhile, its turn comes
    /// again.
    public func done(_ key: Key) {
        let (resumed, drained) = state.withLock { state in
            state.working.remove(key)
            let resumed = state.dirty.contains(key) ? Self.enqueue(key, &state) : nil
            return (resumed, Self.drained(&state))
        }
        resumed?.resume(returning: key)
        for continuation in drained { continuation.resume() }
    }

    /// Works on keys until the task is cancelled or the queue is shut down and empty. A key whose
    /// work throws is tried again, rate-limited; one whose work succeeds is forgotten.
    ///
    /// - Parameters:
    ///   - workers: How many keys are worked on at once, at most.
    ///   - onError: Told what was thrown, with the key and how often it has failed by now.
    ///   - work: Does what must be done for a key. Cancelled with the task.
    public func run(
        workers: Int = 1,
        onError: @escaping @Sendable (Key, any Error, Int) -> Void = { _, _, _ in },
        _ work: @escaping @Sendable (Key) async throws -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, workers) {
                group.addTask { [self] in
                    while let key = await next() {
                        do {
                            try await work(key)
                            forget(key)
                        } catch {
                            if !Task.isCancelled {
                                addRateLimited(key)
                                onError(key, error, failures(of: key))
                            }
                        }
                        done(key)
                    }
                }
            }
        }
    }

    /// How many keys wait for a worker: delayed ones, and those that are worked on, do not count.
    public var count: Int { state.withLock { $0.waitingCount } }

    // MARK: Shutting down

    /// Takes no more keys. What is queued is still worked on, what is delayed is dropped, and then
    /// ``next()`` gives nil.
    public func shutDown() {
        let (idle, drained) = state.withLock { state in
            state.isShutDown = true
            state.timer?.task.cancel()
            state.timer = nil
            state.delayed = [:]
            state.deadlines = DeadlineHeap()
            // Who is idle has nothing more to come: the queue is empty.
            let idle = state.idle
            state.idle = []
            return (idle, Self.drained(&state))
        }
        for waiter in idle { waiter.continuation.resume(returning: nil) }
        for continuation in drained { continuation.resume() }
    }

    /// Shuts down, and waits until all that was queued or worked on is done.
    public func shutDownAndDrain() async {
        shutDown()
        await withCheckedContinuation { continuation in
            let isDrained = state.withLock { state in
                state.draining.append(continuation)
                return Self.drained(&state)
            }
            for continuation in isDrained { continuation.resume() }
        }
    }

    private static func drained(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard state.isShutDown, state.working.isEmpty, state.waitingCount == 0 else { return [] }
        defer { state.draining = [] }
        return state.draining
    }

    // MARK: Delays

    private func setTimer(_ state: inout State) {
        guard let deadline = state.deadlines.first else { return }
        if let timer = state.timer, timer.deadline <= deadline { return }
        state.timer?.task.cancel()
        let task = Task { [weak self] in
            guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else {
                return
            }
            self?.addDue()
        }
        state.timer = (deadline, task)
    }

    private func addDue() {
        let resumed = state.withLock { state in
            state.timer = nil
            let now = ContinuousClock.now
            var resumed: [(CheckedContinuation<Key?, Never>, Key)] = []
            while let deadline = state.deadlines.first, deadline <= now {
                let key = state.deadlines.removeFirst()
                guard state.delayed[key] == deadline else { continue }
                state.delayed[key] = nil
                if let worker = Self.add(key, &state) { resumed.append((worker, key)) }
            }
            setTimer(&state)
            return resumed
        }
        for (worker, key) in resumed { worker.resume(returning: key) }
    }
}

/// Times in order, the earliest first: a binary heap.
private struct DeadlineHeap<Key>: Sendable where Key: Sendable {
    private var entries: [(time: ContinuousClock.Instant, key: Key)] = []

    var first: ContinuousClock.Instant? { entries.first?.time }

    mutating func insert(_ time: ContinuousClock.Instant, _ key: Key) {
        entries.append((time, key))
        var child = entries.count - 1
        while child > 0, entries[child].time < entries[(child - 1) / 2].time {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// There must be one.
    mutating func removeFirst() -> Key {
        let key = entries[0].key
        let last = entries.removeLast()
        if entries.isEmpty { return key }
        entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].time < entries[least].time {
                least = child
            }
            if least == parent { return key }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
