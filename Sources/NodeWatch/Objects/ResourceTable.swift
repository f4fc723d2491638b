/// Objects of any type by key. A value type that shares its storage until one of the copies is
/// changed.
package struct ResourceTable<Value: Sendable>: CacheTable {
    package typealias Object = Resource<Value>

    private var entries: [Object] = []
    private var positions: [String: Int] = [:]

    package init() {}

    package var count: Int { entries.count }
    package func object(at position: Int) -> Object { entries[position] }
    package func position(of key: String) -> Int? { positions[key] }
    package func position(matching object: Object) -> Int? { positions[object.key] }

    /// Puts an object in its key's place.
    package mutating func apply(_ object: Object) -> CacheOutcome<Object> {
        let key = object.key
        guard let position = positions[key] else {
            positions[key] = entries.count
            entries.append(object)
            return .added(object)
        }
        let old = entries[position]
        if Self.isOutdated(object, by: old) { return .outdated }
        entries[position] = object
        if !old.isSameObject(as: object) { return .replaced(old: old, new: object) }
        return old.hasSameContent(as: object) ? .heartbeat : .updated(old: old, new: object)
    }

    /// Takes an object out; `last` is the state the deletion told of, where it could be read.
    package mutating func delete(key: String, last: Object?) -> CacheOutcome<Object> {
        guard let position = positions[key] else { return .outdated }
        let old = entries[position]
        if let last, Self.isOutdated(last, by: old) { return .outdated }
        positions[key] = nil
        let end = entries.count - 1
        if position != end {
            entries.swapAt(position, end)
            positions[entries[position].key] = position
        }
        entries.removeLast()
        let isSame = last.map { $0.isSameObject(as: old) } ?? false
        return .deleted(old: old, last: isSame ? last ?? old : old)
    }

    private static func isOutdated(_ new: Object, by old: Object) -> Bool {
        guard let new = ResourceVersion(new.resourceVersion),
            let old = ResourceVersion(old.resourceVersion)
        else { return false }
        return new.isOutdated(by: old)
    }
}
