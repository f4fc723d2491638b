import ObjectEncoding

/// What a list says of itself.
struct ListMetadata: Sendable {
    var resourceVersion: Int
    var continueToken: String?
    var remaining: Int?
    /// What the server has selected by, where it was asked for a shard.
    var shard: String?

    var json: JSONValue {
        var json: JSONValue = ["resourceVersion": .string("\(resourceVersion)")]
        if let continueToken { json["continue"] = .string(continueToken) }
        if let remaining { json["remainingItemCount"] = .number(remaining) }
        if let shard { json["shardInfo"] = ["selector": .string(shard)] }
        return json
    }
}

/// A NodeList (or a Table of nodes), node by node.
final class ListProducer: BodyProducer {
    // SAFETY: used on one event loop only.
    nonisolated(unsafe) private var position = 0
    private let cluster: Cluster
    private let nodes: ArraySlice<SimulatedNode>
    private let format: NodeFormat
    private let metadata: ListMetadata

    init(
        _ cluster: Cluster, _ nodes: ArraySlice<SimulatedNode>, _ format: NodeFormat,
        _ metadata: ListMetadata
    ) {
        self.cluster = cluster
        self.nodes = nodes
        self.format = format
        self.metadata = metadata
    }

    var contentType: String { format.wireFormat.contentType }

    func start(wake: @escaping @Sendable () -> Void) {}
    func stop() {}

    func next() -> BodyPiece {
        if position > nodes.count + 1 { return .end }
        defer { position += 1 }
        switch position {
        case 0: return .bytes(format.listStart(metadata, nodes, cluster))
        case ...nodes.count:
            let node = nodes[nodes.startIndex + position - 1]
            return .bytes(format.item(node, cluster, isFirst: position == 1))
        default: return .bytes(format.listEnd)
        }
    }
}
