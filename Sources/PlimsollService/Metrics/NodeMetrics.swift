import ImageAlerts
import NodeWatch

/// What nodes report, as metrics: each node by itself up to a number of them, and by pool always.
struct NodeMetrics {
    /// From 1 GiB to 1 TiB.
    private static let bounds = [1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1024].map {
        $0 * 1_073_741_824
    }

    private let nodes: [NodeSummary]
    private let cap: ImageListCap
    private let limit: Int
    private let byPool: [(pool: String, nodes: [NodeSummary])]

    /// - Parameter limit: With more nodes none has series of its own.
    init(_ nodes: [NodeSummary], cap: ImageListCap, limit: Int) {
        self.nodes = nodes
        self.cap = cap
        self.limit = limit
        byPool = Dictionary(grouping: nodes) { $0.pool ?? "" }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }

    func write(to text: inout MetricsText) {
        text.family("plimsoll_nodes", .gauge, "Nodes that are watched.")
        for (pool, nodes) in byPool { text.sample(nodes.count, [("pool", pool)]) }
        text.family(
            "plimsoll_nodes_truncated", .gauge,
            "Nodes whose list of images is cut at the kubelet's cap: their bytes are lower bounds.")
        for (pool, nodes) in byPool {
            text.sample(nodes.count { cap.isTruncated($0) }, [("pool", pool)])
        }
        text.family(
            "plimsoll_nodes_without_images", .gauge, "Nodes that report no list of images.")
        for (pool, nodes) in byPool {
            text.sample(nodes.count { $0.imageCount == 0 }, [("pool", pool)])
        }
        text.family(
            "plimsoll_pool_node_image_bytes", .histogram,
            "Reported image storage of the nodes of a pool, in bytes as its runtime counts them.")
        for (pool, nodes) in byPool {
            let values = nodes.filter { $0.imageCount > 0 }.compactMap {
                $0.imageBytes.map(Double.init)
            }
            text.histogram(values, bounds: Self.bounds, [("pool", pool)])
        }
        if nodes.count <= limit { writeEach(to: &text) }
    }

    private func writeEach(to text: inout MetricsText) {
        func labels(_ node: NodeSummary) -> MetricsText.Labels {
            [("node", node.name), ("pool", node.pool ?? "")]
        }
        text.family(
            "plimsoll_node_image_bytes", .gauge,
            "Reported image storage of a node, in bytes as its runtime counts them; absent where unknown."
        )
        for node in nodes where node.imageCount > 0 {
            guard let bytes = node.imageBytes else { continue }
            text.sample(bytes, labels(node) + [("basis", node.basis.rawValue)])
        }
        text.family("plimsoll_node_images", .gauge, "Images that a node reports.")
        for node in nodes { text.sample(node.imageCount, labels(node)) }
        text.family(
            "plimsoll_node_images_truncated", .gauge,
            "Whether a node's list of images is cut at the kubelet's cap.")
        for node in nodes { text.sample(cap.isTruncated(node) ? 1 : 0, labels(node)) }
        text.family(
            "plimsoll_node_ephemeral_storage_capacity_bytes", .gauge,
            "Capacity of the filesystem of the kubelet, in bytes.")
        for node in nodes {
            if let bytes = node.capacityBytes { text.sample(bytes, labels(node)) }
        }
    }
}
