/// What happened to an object.
///
/// For one object, changes come in the order in which they happened, and a reader that is slower
/// than the cluster gets them merged: it may miss states, never the last one, and never a deletion of
/// an object it has seen. Between objects there is no order.
public enum ObjectChange<Object: Sendable>: Sendable {
    /// An object that this reader has not seen, or not since its deletion. `isInInitialList` tells
    /// that it was there when the reader started: first sight is no event in the cluster.
    case added(Object, isInInitialList: Bool)
    /// Something of it changed. With both the same, a resync: nothing changed.
    case updated(old: Object, new: Object)
    /// It is gone. Its last known state.
    case deleted(Object)

    /// The object it is about, in its latest state.
    public var object: Object {
        switch self {
        case .added(let object, _), .updated(_, let object), .deleted(let object): object
        }
    }
}

/// What happened to a node.
public typealias NodeChange = ObjectChange<NodeSummary>

extension ObjectChange<NodeSummary> {
    /// The node it is about, in its latest state.
    public var node: NodeSummary { object }
}
