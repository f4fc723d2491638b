/// A type of object in the API.
public struct ResourceType: Sendable, Hashable {
    /// "" for the core group.
    public var group: String
    /// "v1".
    public var version: String
    /// "nodes".
    public var plural: String
    /// "Node".
    public var kind: String
    /// Whether its objects live in namespaces.
    public var isNamespaced: Bool

    /// Any type.
    public init(
        group: String = "", version: String = "v1", plural: String, kind: String, isNamespaced: Bool
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// Nodes.
    public static let nodes = ResourceType(plural: "nodes", kind: "Node", isNamespaced: false)
    /// Leases, on which leaders are elected.
    public static let leases = ResourceType(
        group: "coordination.k8s.io", plural: "leases", kind: "Lease", isNamespaced: true)
    /// Events, in the form that carries all that `kubectl describe` shows.
    public static let events = ResourceType(
        group: "events.k8s.io", plural: "events", kind: "Event", isNamespaced: true)

    /// "v1", "coordination.k8s.io/v1".
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// As kubectl and errors name it: "leases.coordination.k8s.io".
    public var qualifiedName: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// The path of its objects, of one of them, or of a part of one.
    package func path(
        namespace: String, name: String? = nil, subresource: String? = nil
    ) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if isNamespaced, !namespace.isEmpty {
            path += "/namespaces/" + PercentEncoding.encoded(namespace)
        }
        path += "/" + plural
        if let name { path += "/" + PercentEncoding.encoded(name) }
        if let subresource { path += "/" + subresource }
        return path
    }
}
