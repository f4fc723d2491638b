/// Something with a resourceVersion.
protocol Versioned: Sendable {
    var resourceVersion: Int { get }
}

enum ChangeType: String, Sendable {
    case added = "ADDED"
    case modified = "MODIFIED"
    case deleted = "DELETED"
}

/// One change, as the watchers are told of it.
struct Change<Object: Versioned>: Sendable {
    var type: ChangeType
    /// The object after the change; of a deleted one the last state, at the deletion's version.
    var object: Object
    /// The object before the change; nil for one that was added.
    var previous: Object?
    var resourceVersion: Int { object.resourceVersion }
}

/// What a watcher is told.
enum ChangeNotice<Object: Versioned>: Sendable {
    case change(Change<Object>)
    /// Its history is gone: the stream ends with 410.
    case expired
    /// The stream ends in good order.
    case ended
    /// The connection is cut.
    case cut
    /// Nothing comes any more, and nobody is told.
    case muted
}

/// A watch cannot start at a resourceVersion that is older than the history.
struct HistoryExpired: Error {
    var current: Int
}

/// The latest changes, and who watches. Every change takes the next resourceVersion.
struct History<Object: Versioned>: Sendable {
    typealias Notify = @Sendable (ChangeNotice<Object>) -> Void

    private(set) var resourceVersion = 1000
    /// The last resourceVersion that is no longer kept: the oldest a watch can start from.
    private(set) var compacted = 1000
    private var changes: [Change<Object>] = []
    /// Index of the oldest change still kept.
    private var start = 0
    private var watchers: [Int: Notify] = [:]
    private var nextWatcher = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// The resourceVersion of the next change.
    mutating func next() -> Int {
        resourceVersion += 1
        return resourceVersion
    }

    mutating func publish(_ change: Change<Object>) {
        changes.append(change)
        if changes.count - start > limit {
            compacted = changes[start].resourceVersion
            start += 1
            if start > limit {
                changes.removeFirst(start)
                start = 0
            }
        }
        for notify in watchers.values { notify(.change(change)) }
    }

    /// Forgets all changes; where so wanted, every watch ends with 410.
    mutating func forget(endingWatches: Bool) {
        changes = []
        start = 0
        compacted = next()
        if endingWatches {
            for notify in watchers.values { notify(.expired) }
        }
    }

    /// Every watch that is open hears nothing any more.
    mutating func muteWatches() {
        for notify in watchers.values { notify(.muted) }
        watchers = [:]
    }

    /// Goes back to an earlier version, as after a restored backup: nothing is known of what came before
    /// and since, and the connections are gone.
    mutating func rewind(to version: Int) {
        cutWatches()
        changes = []
        start = 0
        resourceVersion = version
        compacted = version
    }

    func endWatches() {
        for notify in watchers.values { notify(.ended) }
    }

    func cutWatches() {
        for notify in watchers.values { notify(.cut) }
    }

    /// What there was at an earlier version, of what there is now: that of the keys since changed, nil where
    /// it was not there. Nil where that is not kept any more.
    func earlier<Key: Hashable>(
        at version: Int, _ key: (Object) -> Key
    ) -> [Key: Object?]? {
        guard version >= compacted else { return nil }
        var earlier: [Key: Object?] = [:]
        for change in changes[start...].reversed() where change.resourceVersion > version {
            earlier[key(change.object)] = .some(change.previous)
        }
        return earlier
    }

    // MARK: Watching

    mutating func watch(_ notify: @escaping Notify) -> Int {
        nextWatcher += 1
        watchers[nextWatcher] = notify
        return nextWatcher
    }

    /// First the changes since `version`, then every one, in order, without a gap.
    mutating func watch(
        after version: Int, _ notify: @escaping Notify
    ) -> Result<Int, HistoryExpired> {
        guard version >= compacted else {
            return .failure(HistoryExpired(current: resourceVersion))
        }
        for change in changes[start...] where change.resourceVersion > version {
            notify(.change(change))
        }
        guard version > resourceVersion else { return .success(watch(notify)) }
        // Of a future that has not come: an API server sends what is later than that.
        return .success(
            watch { notice in
                if case .change(let change) = notice, change.resourceVersion <= version { return }
                notify(notice)
            })
    }

    mutating func stopWatching(_ watcher: Int) { watchers[watcher] = nil }
}
