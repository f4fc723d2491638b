/// What happened to a node.
///
/// For one node, changes come in the order in which they happened, and a reader that is slower than
/// the cluster gets them merged (see ``NodeInformer``): it may miss states, never the last
/// one, and never a deletion of a node it has seen. Between nodes there is no order.
public enum NodeChange: Sendable {
    /// A node that this reader has not seen, or not since its deletion. `isInInitialList` tells that
    /// it was there when the reader started: first sight is no event in the cluster.
    case added(NodeSummary, isInInitialList: Bool)
    /// Something of the summary changed. With both the same, a resync: nothing changed.
    case updated(old: NodeSummary, new: NodeSummary)
    /// The node is gone. Its last known state.
    case deleted(NodeSummary)

    /// The node it is about, in its latest state.
    public var node: NodeSummary {
        switch self {
        case .added(let node, _), .updated(_, let node), .deleted(let node): node
        }
    }
}
