/// A resource of the API.
struct ResourceKind: Sendable, Hashable {
    /// "" for the core group.
    var group: String
    var version: String
    var plural: String
    var kind: String
    var isNamespaced: Bool
    var shortNames: [String] = []
    var hasStatus = false
    /// Whether an update must say which version it replaces.
    var needsVersion = false
    /// The kind under which its objects are kept, where they are another view of that.
    var stored: String?

    var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    /// As errors name it: "leases.coordination.k8s.io".
    var qualifiedName: String { group.isEmpty ? plural : "\(plural).\(group)" }
    /// What objects are kept under.
    var storage: String { stored ?? qualifiedName }

    static let nodes = ResourceKind(
        group: "", version: "v1", plural: "nodes", kind: "Node", isNamespaced: false,
        shortNames: ["no"], hasStatus: true)
    static let leases = ResourceKind(
        group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease",
        isNamespaced: true, needsVersion: true)
    static let events = ResourceKind(
        group: "", version: "v1", plural: "events", kind: "Event", isNamespaced: true,
        shortNames: ["ev"])
    /// The same events in their newer form.
    static let newEvents = ResourceKind(
        group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", isNamespaced: true,
        shortNames: ["ev"], stored: "events")

    static let all: [ResourceKind] = [
        nodes,
        ResourceKind(
            group: "", version: "v1", plural: "namespaces", kind: "Namespace", isNamespaced: false,
            shortNames: ["ns"], hasStatus: true),
        ResourceKind(
            group: "", version: "v1", plural: "pods", kind: "Pod", isNamespaced: true,
            shortNames: ["po"], hasStatus: true),
        events,
        ResourceKind(
            group: "", version: "v1", plural: "services", kind: "Service", isNamespaced: true,
            shortNames: ["svc"], hasStatus: true),
        ResourceKind(
            group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", isNamespaced: true,
            shortNames: ["cm"]),
        leases,
        newEvents,
        ResourceKind(
            group: "networking.k8s.io", version: "v1", plural: "ingresses", kind: "Ingress",
            isNamespaced: true, shortNames: ["ing"], hasStatus: true),
    ]

    static func find(group: String, version: String, plural: String) -> ResourceKind? {
        all.first { $0.group == group && $0.version == version && $0.plural == plural }
    }
}

/// An object's place in its resource.
struct ObjectKey: Sendable, Hashable {
    /// "" where the resource has none.
    var namespace: String
    var name: String
}
