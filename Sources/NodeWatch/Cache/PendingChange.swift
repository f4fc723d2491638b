/// One event as a reader has to see it.
struct Delta<Object: CachedObject>: Sendable {
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

/// What is to be told of one object, merged from one event or many.
struct PendingChange<Object: CachedObject>: Sendable {
    /// What the reader last saw.
    var base: Object?
    /// The last known state of the object that `base` is a state of.
    var final: Object?
    var current: Object?
}

extension PendingChange {
    init(_ delta: Delta<Object>) {
        base = delta.old
        final = delta.old
        merge(delta)
    }

    mutating func merge(_ delta: Delta<Object>) {
        current = delta.new
        guard let base else { return }
        for state in [delta.last, delta.new].compactMap({ $0 }) where state.isSameObject(as: base) {
            final = state
        }
    }

    /// The merge table.
    func emit(into changes: inout [ObjectChange<Object>], isInInitialList: Bool = false) {
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
