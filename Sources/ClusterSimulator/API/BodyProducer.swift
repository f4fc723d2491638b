import ObjectEncoding

/// A response body that is made piece by piece, as fast as the client reads it.
///
/// Used on one event loop; only `wake` may be called from elsewhere.
protocol BodyProducer: AnyObject, Sendable {
    /// The next piece.
    func next() -> BodyPiece
    /// The client is there; `wake` is to be called when `next()` has more after it said `wait`.
    func start(wake: @escaping @Sendable () -> Void)
    /// The client is gone, or the body is over.
    func stop()
}

enum BodyPiece {
    case bytes([UInt8])
    /// Nothing now.
    case wait
    /// The body is whole.
    case end
    /// The connection is to be cut in the middle of the body.
    case cut
}

/// A NodeList (or a Table of nodes), node by node.
final class ListProducer: BodyProducer {
    // SAFETY: used on one event loop only.
    nonisolated(unsafe) private var position = 0
    private let cluster: Cluster
    private let nodes: ArraySlice<SimulatedNode>
    private let format: NodeFormat
    private let metadata: String

    init(
        _ cluster: Cluster, _ nodes: ArraySlice<SimulatedNode>, _ format: NodeFormat,
        resourceVersion: Int, continueToken: String?, remaining: Int?
    ) {
        self.cluster = cluster
        self.nodes = nodes
        self.format = format
        var metadata = "{\"resourceVersion\":\"\(resourceVersion)\""
        if let continueToken { metadata += ",\"continue\":\"\(continueToken)\"" }
        if let remaining { metadata += ",\"remainingItemCount\":\(remaining)" }
        self.metadata = metadata + "}"
    }

    func start(wake: @escaping @Sendable () -> Void) {}
    func stop() {}

    func next() -> BodyPiece {
        if position > nodes.count + 1 { return .end }
        var json = JSONText()
        if position == 0 {
            format.appendListStart(metadata, to: &json)
        } else if position <= nodes.count {
            if position > 1 { json.raw(",") }
            format.appendItem(nodes[nodes.startIndex + position - 1], cluster, to: &json)
        } else {
            json.raw("]}\n")
        }
        position += 1
        return .bytes(json.bytes)
    }
}
