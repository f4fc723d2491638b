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

    /// A view that the store has left behind: `table` overlaid with `pending`.
    struct Behind: Sendable {
        var table: Table
        var pending: [String: PendingChange<Object>]
    }

    let limit: Int
    private var waiting: WaitingChanges<Object>
    private var behind: Behind?
    private var awaitsInitialList = true
    /// What the reader begins with, where that is not simply what there is.
    private var initial: Table?
    private var wantsResync = false

    init(limit: Int, merges: Bool = true) {
        self.limit = max(1, limit)
        waiting = WaitingChanges(merges: merges)
    }

    /// Nothing is to be told.
    var isEmpty: Bool {
        waiting.isEmpty && behind == nil && initial == nil && !wantsResync && !awaitsInitialList
    }

    /// Objects whose changes wait; changes, where each is told by itself.
    var count: Int { waiting.count }

    /// Takes in what one event did to `table`, which has it already.
    mutating func enqueue(_ outcome: Outcome, table: Table) {
        guard !awaitsInitialList, behind == nil, let delta = Delta(outcome) else { return }
        waiting.add(delta)
        if count > limit { fallBehind(table) }
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
        let changes = waiting.take(limit)
        if !changes.isEmpty { return .changes(changes) }
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
        behind = Behind(table: table, pending: waiting.takeAll())
    }
}
