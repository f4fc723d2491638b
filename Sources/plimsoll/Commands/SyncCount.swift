import Synchronization

/// Which of several clusters have synced.
final class SyncCount: Sendable {
    private let waiting: Mutex<Set<Int>>

    init(_ count: Int) { waiting = Mutex(Set(0..<count)) }

    /// Takes down one. True once all have.
    func add(_ number: Int) -> Bool {
        waiting.withLock { waiting in
            waiting.remove(number)
            return waiting.isEmpty
        }
    }
}
