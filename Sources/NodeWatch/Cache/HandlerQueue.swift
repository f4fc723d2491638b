/// What one reader still has to be told, merged by object and bounded.
///
/// Between two deliveries only the first known and the last known state of an object count:
///
/// | reader last saw | now | delivered |
/// |---|---|---|
/// | nothing | object | `added` |
/// | nothing | nothing (added and deleted meanwhile) | nothing |
/// | object | the same content | nothing |
/// | object | other content, same uid | one `updated(old: last seen, new: now)` |
/// | object | nothing | `deleted` with the last known state |
/// | object | another uid | `deleted` with the last known state, then `added` |
///
/// An object that was deleted and came back under its uid (it left a selector and returned) is an
/// update. A resync gives way to any change that is queued.
///
/// When more than `limit` objects wait, the queue is dropped: the reader's view at that moment is
/// kept as a table that shares its records with the store, and the difference between that view and
/// the store is told when the reader comes to it. So a slow reader costs bounded memory, delays
/// nobody, and loses no final state. The first list is such a difference, from nothing.
///
/// A reader may want every change by itself: then nothing is merged as long as no more than `limit` changes
/// wait, and more of them are dropped as above.
///
/// The queue is part of ``Hub``'s state and changed under its lock only.
struct HandlerQueue<Table: CacheTable>: Sendable {
    typealias Object = Table.Object
    typealias Outcome = CacheOutcome<Object>

    struct Pending: Sendable {
        /// What the reader last saw.
        var base: Object?
        /// The last known state of the object that `base` is a state of.
        var final: Object?
        var current: Object?
    }

    /// A view that the store has left behind: `table` overlaid with `pending`.
    struct Behind: Sendable {
        var table: Table
        var pending: [String: Pending]
    }

    let limit: Int
    private let merges: Bool
    /// Of a reader that wants every change by itself; `pending` and `order` are empty then.
    private var log: [Delta<Object>] = []
    private var pending: [String: Pending] = [:]
    private var order: [String] = []
    private var taken = 0
    private var behind: Behind?
    private var awaitsInitialList = true
    /// What the reader begins with, where that is not simply what there is.
    private var initial: Table?
    private var wantsResync = false

    init(limit: Int, merges: Bool = true) {
        self.limit = max(1, limit)
        self.merges = merges
    }

    /// Nothing is to be told.
    var isEmpty: Bool {
        pending.isEmpty && log.isEmpty && behind == nil && initial == nil && !wantsResync
            && !awaitsInitialList
    }

    /// Objects whose changes wait; changes, where each is told by itself.
    var count: Int { merges ? pending.count : log.count - taken }

    /// Takes in what one event did to `table`, which has it already.
    mutating func enqueue(_ outcome: Outcome, table: Table) {
        guard !awaitsInitialList, behind == nil, let delta = Delta(outcome) else { return }
        if !merges {
            log.append(delta)
            if count > limit { fallBehind(table) }
            return
        }
        let key = delta.key
        if pending[key] != nil {
            pending[key]!.merge(delta)
            return
        }
        if pending.count >= limit {
            pending[key] = Pending(delta)
            fallBehind(table)
            return
        }
        pending[key] = Pending(delta)
        order.append(key)
    }

    /// Takes in a Replace: many outcomes at once, `old` being the table before it.
    mutating func enqueue(_ outcomes: [Outcome], old: Table, new: Table) {
        guard !awaitsInitialList, behind == nil, !outcomes.isEmpty else { return }
        if count + outcomes.count > limit {
            fallBehind(old)
            return
        }
        for outcome in outcomes { enqueue(outcome, table: new) }
    }

    /// The first list is this one, and what happens from now on is told after it.
    mutating func begin(with table: Table) {
        guard awaitsInitialList else { return }
        awaitsInitialList = false
        initial = table
    }

    mutating func resync() { wantsResync = true }

    /// What to do next, given the store's present table.
    mutating func next(_ table: Table, hasSynced: Bool, limit: Int) -> Work {
        if awaitsInitialList {
            guard hasSynced else { return .none }
            awaitsInitialList = false
            wantsResync = false
            return .walk(HandlerWalk<Table>(from: nil, to: table, kind: .initialList))
        }
        if let initial {
            self.initial = nil
            return .walk(HandlerWalk<Table>(from: nil, to: initial, kind: .initialList))
        }
        if let behind {
            self.behind = nil
            wantsResync = false
            return .walk(HandlerWalk<Table>(from: behind, to: table, kind: .difference))
        }
        if taken < log.count {
            var changes: [ObjectChange<Object>] = []
            while taken < log.count, changes.count < limit {
                Pending(log[taken]).emit(into: &changes)
                taken += 1
            }
            if taken == log.count || taken > 4096 {
                log.removeFirst(taken)
                taken = 0
            }
            if !changes.isEmpty { return .changes(changes) }
            return next(table, hasSynced: hasSynced, limit: limit)
        }
        if taken < order.count {
            var changes: [ObjectChange<Object>] = []
            while taken < order.count, changes.count < limit {
                let key = order[taken]
                taken += 1
                if let waiting = pending.removeValue(forKey: key) { waiting.emit(into: &changes) }
            }
            if taken == order.count {
                order.removeAll(keepingCapacity: order.count < 4096)
                taken = 0
            } else if taken > 4096 {
                order.removeFirst(taken)
                taken = 0
            }
            if !changes.isEmpty { return .changes(changes) }
            return next(table, hasSynced: hasSynced, limit: limit)
        }
        if wantsResync {
            wantsResync = false
            return .walk(
                HandlerWalk<Table>(
                    from: Behind(table: table, pending: [:]), to: table, kind: .resync))
        }
        return .none
    }

    enum Work: Sendable {
        case none
        case changes([ObjectChange<Object>])
        case walk(HandlerWalk<Table>)
    }

    private mutating func fallBehind(_ table: Table) {
        for delta in log.dropFirst(taken) {
            if pending[delta.key] != nil {
                pending[delta.key]!.merge(delta)
            } else {
                pending[delta.key] = Pending(delta)
            }
        }
        log = []
        behind = Behind(table: table, pending: pending)
        pending = [:]
        order = []
        taken = 0
    }
}

/// One event as a reader has to see it.
struct Delta<Object: CachedObject> {
    var old: Object?
    var new: Object?
    /// State told by a deletion.
    var last: Object?

    init?(_ outcome: CacheOutcome<Object>) {
        switch outcome {
        case .heartbeat, .outdated, .broken, .unusable: return nil
        case .added(let node): new = node
        case .updated(let old, let new), .replaced(let old, let new):
            self.old = old
            self.new = new
        case .deleted(let old, let last):
            self.old = old
            self.last = last
        }
    }

    var key: String { (new ?? old)?.cacheKey ?? "" }
}

extension HandlerQueue.Pending {
    init(_ delta: Delta<Table.Object>) {
        base = delta.old
        final = delta.old
        update(delta)
    }

    mutating func merge(_ delta: Delta<Table.Object>) { update(delta) }

    private mutating func update(_ delta: Delta<Table.Object>) {
        current = delta.new
        guard let base else { return }
        for state in [delta.last, delta.new].compactMap({ $0 }) where state.isSameObject(as: base) {
            final = state
        }
    }

    /// The merge table.
    func emit(into changes: inout [ObjectChange<Table.Object>], isInInitialList: Bool = false) {
        switch (base, current) {
        case (nil, nil): break
        case (nil, let current?):
            changes.append(.added(current, isInInitialList: isInInitialList))
        case (let base?, nil): changes.append(.deleted(final ?? base))
        case (let base?, let current?):
            if !base.isSameObject(as: current) {
                changes.append(.deleted(final ?? base))
                changes.append(.added(current, isInInitialList: false))
            } else if !base.hasSameContent(as: current) {
                changes.append(.updated(old: base, new: current))
            }
        }
    }
}
