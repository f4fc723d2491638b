/// One object of the API as an informer keeps it: its identity, and what was decoded of it.
///
/// Members of the value can be read without naming it: `change.object.spec`.
@dynamicMemberLookup
public struct Resource<Value: Sendable>: Sendable {
    /// `metadata.name`.
    public let name: String
    /// `metadata.namespace`; "" where the type has none.
    public let namespace: String
    /// `metadata.uid`.
    public let uid: String
    /// `metadata.resourceVersion`, an opaque string.
    public let resourceVersion: String
    /// What was decoded of the object.
    public let value: Value

    /// "namespace/name", or the name alone: unique within the type.
    public var key: String { Self.key(namespace: namespace, name: name) }

    static func key(namespace: String, name: String) -> String {
        namespace.isEmpty ? name : "\(namespace)/\(name)"
    }

    /// A member of the value.
    public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member {
        value[keyPath: path]
    }
}

extension Resource: CachedObject {
    package var cacheKey: String { key }
    package func isSameObject(as other: Resource) -> Bool { uid == other.uid }
    // The server makes a new version of an object exactly when something of it changes.
    package func hasSameContent(as other: Resource) -> Bool {
        resourceVersion == other.resourceVersion && uid == other.uid
    }
    package func sharesStorage(with other: Resource) -> Bool { hasSameContent(as: other) }
}
