public import KubeClient

/// The nodes as they are known now. Reading never asks the server. Thread-safe.
///
/// Before ``hasSynced`` it is empty. After it has been true once it stays true, and through broken
/// connections and new lists the store keeps its last good state.
public struct NodeStore: Sendable {
    let core: InformerCore<NodeTable>

    private var hub: NodeHub { core.hub }

    /// A node by name.
    public subscript(name: String) -> NodeSummary? { hub.read { $0.table[name] } }

    /// How many nodes there are.
    public var count: Int { hub.read { $0.table.count } }

    /// Whether a whole list has been seen, be it of no nodes.
    public var hasSynced: Bool { hub.read { $0.hasSynced } }

    /// The resourceVersion the store is at; nil before ``hasSynced``.
    public var resourceVersion: String? { hub.read { $0.version?.string } }

    /// All nodes at one resourceVersion, in no particular order. Cheap to take: it shares its
    /// storage with the store until that moves on.
    public var nodes: [NodeSummary] { hub.table.entries.map(\.summary) }

    /// Waits for a whole list. False when the informer stopped before, or the task was cancelled.
    @discardableResult
    public func synced() async -> Bool { await hub.wait { $0.hasSynced } }

    /// Waits until the store is at least at a resourceVersion, such as that of a node just written:
    /// who reads then reads what was written.
    ///
    /// - Throws: `cancelled` when the informer stopped before, or the task was cancelled; `request`
    ///   for what is no resourceVersion.
    public func wait(untilAtLeast resourceVersion: String) async throws(KubeError) {
        try await core.wait(untilAtLeast: resourceVersion)
    }

    /// Nodes by what a function makes of them: their pool, their zone, anything; none, one or
    /// several values each. Kept with the store, as long as the index is held.
    ///
    /// ```swift
    /// let pools = informer.store.index { $0.pool.map { [$0] } ?? [] }
    /// pools["gpu"].count
    /// ```
    ///
    /// - Parameter values: Called once for each node and change, under the store's lock: it must be
    ///   quick, must not read the store, and must always say the same of the same node.
    public func index(
        by values: @escaping @Sendable (NodeSummary) -> [String]
    ) -> ObjectIndex<NodeSummary> {
        ObjectIndex(hub, values)
    }
}
