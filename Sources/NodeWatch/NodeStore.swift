/// The nodes as they are known now. Reading never asks the server. Thread-safe.
///
/// Before ``hasSynced`` it is empty. After it has been true once it stays true, and through broken
/// connections and new lists the store keeps its last good state.
public struct NodeStore: Sendable {
    let hub: NodeHub

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
}
