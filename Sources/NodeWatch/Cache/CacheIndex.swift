/// Keys of objects by what a function makes of them.
struct CacheIndex<Object: CachedObject>: Sendable {
    private let values: @Sendable (Object) -> [String]
    private(set) var keys: [String: Set<String>] = [:]

    init(_ values: @escaping @Sendable (Object) -> [String]) { self.values = values }

    mutating func update(_ outcome: CacheOutcome<Object>) {
        switch outcome {
        case .heartbeat, .outdated, .broken, .unusable: break
        case .added(let object): insert(object)
        case .updated(let old, let new), .replaced(let old, let new):
            remove(old)
            insert(new)
        case .deleted(let old, _): remove(old)
        }
    }

    mutating func rebuild(_ table: some CacheTable<Object>) {
        keys = [:]
        for position in 0..<table.count { insert(table.object(at: position)) }
    }

    private mutating func insert(_ object: Object) {
        for value in values(object) { keys[value, default: []].insert(object.cacheKey) }
    }

    private mutating func remove(_ object: Object) {
        for value in values(object) {
            keys[value]?.remove(object.cacheKey)
            // Values nobody has any more must not pile up.
            if keys[value]?.isEmpty == true { keys[value] = nil }
        }
    }
}

/// Objects of a cache by a value of theirs: nodes by pool, by zone, by anything.
///
/// It is kept with the cache: what it finds is what the cache holds at that moment. It lives as long
/// as somebody has it. Thread-safe.
public final class ObjectIndex<Object: Sendable>: Sendable {
    private let find: @Sendable (String) -> [Object]
    private let list: @Sendable () -> [String]
    private let close: @Sendable () -> Void

    package init<Table: CacheTable>(
        _ hub: Hub<Table>, _ values: @escaping @Sendable (Object) -> [String]
    ) where Table.Object == Object {
        let id = hub.addIndex(values)
        find = { hub.find($0, inIndex: id) }
        list = { hub.values(ofIndex: id) }
        close = { hub.removeIndex(id) }
    }

    deinit { close() }

    /// The objects that have a value, in no particular order.
    public subscript(value: String) -> [Object] { find(value) }

    /// Every value that an object has, in no particular order.
    public var values: [String] { list() }
}
