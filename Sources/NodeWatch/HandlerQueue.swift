/// What one reader still has to be told, merged by node and bounded.
///
/// Between two deliveries only the first known and the last known state of a node count:
///
/// | reader last saw | now | delivered |
/// |---|---|---|
/// | nothing | node | `added` |
/// | nothing | nothing (added and deleted meanwhile) | nothing |
/// | node | the same content | nothing |
/// | node | other content, same uid | one `updated(old: last seen, new: now)` |
/// | node | nothing | `deleted` with the last known state |
/// | node | another uid | `deleted` with the last known state, then `added` |
///
/// A node that was deleted and came back under its uid (it left a selector and returned) is an
/// update. A resync gives way to any change that is queued.
///
/// When more than `limit` nodes wait, the queue is dropped: the reader's view at that moment is
/// kept as a table that shares its records with the store, and the difference between that view and
/// the store is told when the reader comes to it. So a slow reader costs bounded memory, delays
/// nobody, and loses no final state. The first list is such a difference, from nothing.
///
/// The queue is part of ``NodeHub``'s state and changed under its lock only.
struct HandlerQueue: Sendable {
    struct Pending: Sendable {
        /// What the reader last saw.
        var base: NodeSummary?
        /// The last known state of the object that `base` is a state of.
        var final: NodeSummary?
        var current: NodeSummary?
    }

    /// A view that the store has left behind: `table` overlaid with `pending`.
    struct Behind: Sendable {
        var table: NodeTable
        var pending: [String: Pending]
    }

    let limit: Int
    private var pending: [String: Pending] = [:]
    private var order: [String] = []
    private var taken = 0
    private var behind: Behind?
    private var awaitsInitialList = true
    private var wantsResync = false

    init(limit: Int) { self.limit = max(1, limit) }

    /// Takes in what one event did to `table`, which has it already.
    mutating func enqueue(_ outcome: NodeTable.Outcome, table: NodeTable) {
        guard !awaitsInitialList, behind == nil, let delta = Delta(outcome) else { return }
        let name = delta.name
        if pending[name] != nil {
            pending[name]!.merge(delta)
            return
        }
        if pending.count >= limit {
            pending[name] = Pending(delta)
            fallBehind(table)
            return
        }
        pending[name] = Pending(delta)
        order.append(name)
    }

    /// Takes in a Replace: many outcomes at once, `old` being the table before it.
    mutating func enqueue(_ outcomes: [NodeTable.Outcome], old: NodeTable, new: NodeTable) {
        guard !awaitsInitialList, behind == nil, !outcomes.isEmpty else { return }
        if pending.count + outcomes.count > limit {
            fallBehind(old)
            return
        }
        for outcome in outcomes { enqueue(outcome, table: new) }
    }

    mutating func resync() { wantsResync = true }

    /// What to do next, given the store's present table.
    mutating func next(_ table: NodeTable, hasSynced: Bool, limit: Int) -> Work {
        if awaitsInitialList {
            guard hasSynced else { return .none }
            awaitsInitialList = false
            wantsResync = false
            return .walk(HandlerWalk(from: nil, to: table, kind: .initialList))
        }
        if let behind {
            self.behind = nil
            wantsResync = false
            return .walk(HandlerWalk(from: behind, to: table, kind: .difference))
        }
        if taken < order.count {
            var changes: [NodeChange] = []
            while taken < order.count, changes.count < limit {
                let name = order[taken]
                taken += 1
                if let waiting = pending.removeValue(forKey: name) { waiting.emit(into: &changes) }
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
                HandlerWalk(from: Behind(table: table, pending: [:]), to: table, kind: .resync))
        }
        return .none
    }

    enum Work: Sendable {
        case none
        case changes([NodeChange])
        case walk(HandlerWalk)
    }

    private mutating func fallBehind(_ table: NodeTable) {
        behind = Behind(table: table, pending: pending)
        pending = [:]
        order = []
        taken = 0
    }
}

/// One event as a reader has to see it.
struct Delta {
    var old: NodeSummary?
    var new: NodeSummary?
    /// State told by a deletion.
    var last: NodeSummary?

    init?(_ outcome: NodeTable.Outcome) {
        switch outcome {
        case .heartbeat, .outdated, .broken: return nil
        case .added(let node): new = node
        case .updated(let old, let new), .replaced(let old, let new):
            self.old = old
            self.new = new
        case .deleted(let old, let last):
            self.old = old
            self.last = last
        }
    }

    var name: String { (new ?? old)?.name ?? "" }
}

extension HandlerQueue.Pending {
    init(_ delta: Delta) {
        base = delta.old
        final = delta.old
        update(delta)
    }

    mutating func merge(_ delta: Delta) { update(delta) }

    private mutating func update(_ delta: Delta) {
        current = delta.new
        guard let base else { return }
        for state in [delta.last, delta.new].compactMap({ $0 }) where state.isSameObject(as: base) {
            final = state
        }
    }

    /// The merge table.
    func emit(into changes: inout [NodeChange], isInInitialList: Bool = false) {
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

/// The difference between two tables, told piece by piece: first what is gone, then what is there.
struct HandlerWalk: Sendable {
    enum Kind: Sendable { case initialList, difference, resync }

    let kind: Kind
    private let from: HandlerQueue.Behind?
    private let to: NodeTable
    private let overlaid: [HandlerQueue.Pending]
    private var stage = 0
    private var position = 0

    init(from: HandlerQueue.Behind?, to: NodeTable, kind: Kind) {
        self.from = from
        self.to = to
        self.kind = kind
        overlaid = from.map { Array($0.pending.values) } ?? []
        stage = kind == .difference ? 0 : 2
    }

    /// The next changes, at most `limit` and one; nil when all is told.
    mutating func next(_ limit: Int) -> [NodeChange]? {
        var changes: [NodeChange] = []
        while changes.count < limit {
            switch stage {
            case 0:
                guard let from, position < from.table.count else { advance(); continue }
                let entry = from.table.entries[position]
                position += 1
                if entry.record.withName({ to.find($0) }) == nil,
                    from.pending.isEmpty || from.pending[entry.record.name] == nil
                {
                    changes.append(.deleted(entry.summary))
                }
            case 1:
                guard position < overlaid.count else { advance(); continue }
                var waiting = overlaid[position]
                position += 1
                guard let base = waiting.base, to.find(base.name) == nil else { continue }
                waiting.current = nil
                waiting.emit(into: &changes)
            case 2:
                guard position < to.count else { advance(); continue }
                tell(to.entries[position].summary, into: &changes)
                position += 1
            default: return changes.isEmpty ? nil : changes
            }
        }
        return changes
    }

    private mutating func advance() {
        stage += 1
        position = 0
    }

    private func tell(_ node: NodeSummary, into changes: inout [NodeChange]) {
        switch kind {
        case .initialList: changes.append(.added(node, isInInitialList: true))
        case .resync: changes.append(.updated(old: node, new: node))
        case .difference:
            guard let from else { return }
            var waiting: HandlerQueue.Pending
            if !from.pending.isEmpty, let overlaid = from.pending[node.name] {
                waiting = overlaid
            } else {
                let base = node.record.withName { from.table.find($0) }.map {
                    from.table.entries[$0].summary
                }
                if let base, base.record === node.record { return }
                waiting = HandlerQueue.Pending(base: base, final: base, current: nil)
            }
            waiting.current = node
            waiting.emit(into: &changes)
        }
    }
}
