public import KubeClient

/// The objects of an ``Informer`` as they are known now. Reading never asks the server. Thread-safe.
///
/// Before ``hasSynced`` it is empty; after, it keeps its last good state through broken connections
/// and new lists.
public struct ResourceStore<Value: Sendable>: Sendable {
    let core: InformerCore<ResourceTable<Value>>

    /// An object by key: "namespace/name", or the name alone where the type has no namespaces.
    public subscript(key: String) -> Resource<Value>? { core.hub.read { $0.table[key] } }

    /// How many objects there are.
    public var count: Int { core.hub.read { $0.table.count } }

    /// Whether a whole list has been seen, be it of nothing.
    public var hasSynced: Bool { core.hub.read { $0.hasSynced } }

    /// The resourceVersion the store is at; nil before ``hasSynced``.
    public var resourceVersion: String? { core.hub.read { $0.version?.string } }

    /// All objects at one resourceVersion, in no particular order.
    public var objects: [Resource<Value>] { core.hub.table.objects }

    /// Waits for a whole list. False when the informer stopped before, or the task was cancelled.
    @discardableResult
    public func synced() async -> Bool { await core.hub.wait { $0.hasSynced } }

    /// Waits until the store is at least at a resourceVersion, such as that of an object just
    /// written.
    ///
    /// - Throws: `cancelled` when the informer stopped before, or the task was cancelled; `request`
    ///   for what is no resourceVersion.
    public func wait(untilAtLeast resourceVersion: String) async throws(KubeError) {
        try await core.wait(untilAtLeast: resourceVersion)
    }

    /// Objects by what a function makes of them; see ``NodeStore/index(by:)``.
    public func index(
        by values: @escaping @Sendable (Resource<Value>) -> [String]
    ) -> ObjectIndex<Resource<Value>> {
        ObjectIndex(core.hub, values)
    }
}
