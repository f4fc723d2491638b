/// What a node's container runtime says of the filesystem its images are on: `node.runtime.imageFs` of
/// the kubelet's `/stats/summary`
/// (https://kubernetes.io/docs/reference/instrumentation/node-metrics/).
///
/// On containerd `usedBytes` are the unpacked images, each layer once, with what running containers have
/// written, and without the compressed content. CRI-O counts a folder of metadata there, so that only
/// capacity and what is available mean something.
public struct ImageFileSystem: Sendable, Hashable {
    /// What images and containers take, in bytes.
    public var usedBytes: Int
    /// The filesystem's size in bytes.
    public var capacityBytes: Int
    /// What is free on the filesystem, in bytes.
    public var availableBytes: Int
    /// When the kubelet looked (RFC 3339); it does so about every 10 s.
    public var time: String

    /// Makes one by hand.
    public init(usedBytes: Int, capacityBytes: Int, availableBytes: Int, time: String) {
        self.usedBytes = usedBytes
        self.capacityBytes = capacityBytes
        self.availableBytes = availableBytes
        self.time = time
    }

    /// What share of the filesystem is not free, from 0 to 100: by what the kubelet collects garbage and
    /// evicts. Nil where the size is not known.
    public var percentUsed: Double? {
        guard capacityBytes > 0 else { return nil }
        return Double(capacityBytes - availableBytes) / Double(capacityBytes) * 100
    }

    /// Reads it from a summary of the given node.
    ///
    /// - Throws: `malformed`: it is of another node, or says nothing of the filesystem.
    init(summary: JSONValue, of node: String) throws(KubeError) {
        if let name = summary["node", "nodeName"]?.string, name != node {
            throw KubeError(.malformed, "the kubelet that answers is that of node \(name)")
        }
        let values = summary["node", "runtime", "imageFs"]
        guard let used = values?["usedBytes"]?.int, let capacity = values?["capacityBytes"]?.int,
            let available = values?["availableBytes"]?.int, used >= 0, capacity >= 0, available >= 0
        else {
            throw KubeError(.malformed, "the kubelet says nothing of imageFs")
        }
        self.init(
            usedBytes: used, capacityBytes: capacity, availableBytes: min(available, capacity),
            time: values?["time"]?.string ?? "")
    }
}
