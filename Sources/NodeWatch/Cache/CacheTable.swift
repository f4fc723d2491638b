/// Something that a cache keeps.
package protocol CachedObject: Sendable {
    /// Name, or namespace and name: what it is found by.
    var cacheKey: String { get }
    /// Whether both are the same API object: equal uid.
    func isSameObject(as other: Self) -> Bool
    /// Whether both say the same, save for the resourceVersion.
    func hasSameContent(as other: Self) -> Bool
    /// Whether both share their storage: cheaper than to compare, and false for what is only equal.
    func sharesStorage(with other: Self) -> Bool
}

/// What one event did to a table.
package enum CacheOutcome<Object: CachedObject>: Sendable {
    /// Nothing but the resourceVersion and the last-seen time.
    case heartbeat
    /// Older than what is known, or a deletion of what is not there: nothing changed.
    case outdated
    case added(Object)
    case updated(old: Object, new: Object)
    /// Another object of the same key: the old one was deleted in between.
    case replaced(old: Object, new: Object)
    /// `old` is what the table had, `last` the state the deletion told of.
    case deleted(old: Object, last: Object)
    /// It refers to an image that was never defined.
    case broken
    /// It cannot be decoded, and why. The last good state stays.
    case unusable(reason: String)
}

/// Objects by key. A value type that shares its storage until one of the copies is changed, so that
/// snapshots are cheap.
package protocol CacheTable<Object>: Sendable {
    associatedtype Object: CachedObject

    init()
    var count: Int { get }
    /// By position, in no particular order.
    func object(at position: Int) -> Object
    /// The position of the object of a key.
    func position(of key: String) -> Int?
    /// The position of the object that has this one's key.
    func position(matching object: Object) -> Int?
}

extension CacheTable {
    package subscript(key: String) -> Object? { position(of: key).map { object(at: $0) } }

    package var objects: [Object] { (0..<count).map { object(at: $0) } }

    /// What a reader of this table must be told to know `other`: deletions first, as a key that went
    /// may be needed again.
    func difference(to other: Self) -> [CacheOutcome<Object>] {
        var outcomes: [CacheOutcome<Object>] = []
        for position in 0..<count {
            let old = object(at: position)
            if other.position(matching: old) == nil {
                outcomes.append(.deleted(old: old, last: old))
            }
        }
        for position in 0..<other.count {
            let new = other.object(at: position)
            guard let known = self.position(matching: new) else {
                outcomes.append(.added(new))
                continue
            }
            let old = object(at: known)
            if old.sharesStorage(with: new) { continue }
            if !old.isSameObject(as: new) {
                outcomes.append(.replaced(old: old, new: new))
            } else if !old.hasSameContent(as: new) {
                outcomes.append(.updated(old: old, new: new))
            }
        }
        return outcomes
    }
}
