/// What waits for a reader, either merged by object, in the order in which each first changed, or change by
/// change.
struct WaitingChanges<Object: CachedObject>: Sendable {
    private let merges: Bool
    private var merged: [String: PendingChange<Object>] = [:]
    private var keys = Line<String>()
    /// Of a reader that wants every change by itself; the others are empty then.
    private var log = Line<Delta<Object>>()

    init(merges: Bool) { self.merges = merges }

    /// Objects whose changes wait; changes, where each is told by itself.
    var count: Int { merges ? merged.count : log.count }
    var isEmpty: Bool { count == 0 }

    mutating func add(_ delta: Delta<Object>) {
        guard merges else { return log.append(delta) }
        if merged.add(delta) { keys.append(delta.key) }
    }

    /// What is to be told next, so many objects at most. Empty when nothing waits.
    mutating func take(_ limit: Int) -> [ObjectChange<Object>] {
        var changes: [ObjectChange<Object>] = []
        while changes.count < limit, let pending = nextPending() { pending.emit(into: &changes) }
        return changes
    }

    private mutating func nextPending() -> PendingChange<Object>? {
        guard merges else { return log.next().map { PendingChange($0) } }
        return keys.next().flatMap { merged.removeValue(forKey: $0) }
    }

    /// All that waits, merged.
    mutating func takeAll() -> [String: PendingChange<Object>] {
        var all = merged
        for delta in log.takeAll() { all.add(delta) }
        self = WaitingChanges(merges: merges)
        return all
    }
}

extension Dictionary {
    /// Merges a change into those of its object. True when it is the first of it.
    @discardableResult
    fileprivate mutating func add<Object>(_ delta: Delta<Object>) -> Bool
    where Key == String, Value == PendingChange<Object> {
        guard self[delta.key] != nil else {
            self[delta.key] = PendingChange(delta)
            return true
        }
        self[delta.key]!.merge(delta)
        return false
    }
}
