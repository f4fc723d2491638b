/// The difference between two tables, told piece by piece: first what is gone, then what is there.
struct HandlerWalk<Table: CacheTable>: Sendable {
    typealias Object = Table.Object
    typealias Queue = HandlerQueue<Table>

    enum Kind: Sendable { case initialList, difference, resync }

    let kind: Kind
    private let from: Queue.Behind?
    private let to: Table
    private let overlaid: [PendingChange<Object>]
    private var stage = 0
    private var position = 0

    init(from: Queue.Behind?, to: Table, kind: Kind) {
        self.from = from
        self.to = to
        self.kind = kind
        overlaid = from.map { Array($0.pending.values) } ?? []
        stage = kind == .difference ? 0 : 2
    }

    /// The next changes, at most `limit` and one; nil when all is told.
    mutating func next(_ limit: Int) -> [ObjectChange<Object>]? {
        var changes: [ObjectChange<Object>] = []
        while changes.count < limit {
            switch stage {
            case 0:
                guard let from, position < from.table.count else { advance(); continue }
                let object = from.table.object(at: position)
                position += 1
                if to.position(matching: object) == nil,
                    from.pending.isEmpty || from.pending[object.cacheKey] == nil
                {
                    changes.append(.deleted(object))
                }
            case 1:
                guard position < overlaid.count else { advance(); continue }
                var waiting = overlaid[position]
                position += 1
                guard let base = waiting.base, to.position(matching: base) == nil else { continue }
                waiting.current = nil
                waiting.emit(into: &changes)
            case 2:
                guard position < to.count else { advance(); continue }
                tell(to.object(at: position), into: &changes)
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

    private func tell(_ object: Object, into changes: inout [ObjectChange<Object>]) {
        switch kind {
        case .initialList: changes.append(.added(object, isInInitialList: true))
        case .resync: changes.append(.updated(old: object, new: object))
        case .difference:
            guard let from else { return }
            var waiting: PendingChange<Object>
            if !from.pending.isEmpty, let overlaid = from.pending[object.cacheKey] {
                waiting = overlaid
            } else {
                let base = from.table.position(matching: object).map { from.table.object(at: $0) }
                if let base, base.sharesStorage(with: object) { return }
                waiting = PendingChange<Object>(base: base, final: base, current: nil)
            }
            waiting.current = object
            waiting.emit(into: &changes)
        }
    }
}
