import KubeClient
import WatchEngine

/// Which labels a summary keeps.
enum NodeLabels {
    /// Keys by slot; of several keys of one slot the first that is present counts.
    static let keys: [(key: StaticString, slot: UInt32)] = [
        ("eks.amazonaws.com/nodegroup", 0),
        ("karpenter.sh/nodepool", 0),
        ("cloud.google.com/gke-nodepool", 0),
        ("kubernetes.azure.com/agentpool", 0),
        ("agentpool", 0),
        ("pool", 0),
        ("topology.kubernetes.io/zone", 1),
        ("failure-domain.beta.kubernetes.io/zone", 1),
        ("node.kubernetes.io/instance-type", 2),
        ("beta.kubernetes.io/instance-type", 2),
        ("kubernetes.io/arch", 3),
        ("beta.kubernetes.io/arch", 3),
    ]

    /// Lends the projection of a node summary.
    static func withProjection<Result>(
        isStrict: Bool, format: WireFormat = .automatic,
        _ body: (UnsafePointer<plm_projection>) -> Result
    ) -> Result {
        let engineKeys = keys.map { label in
            plm_label_key(
                key: UnsafeRawPointer(label.key.utf8Start).assumingMemoryBound(to: CChar.self),
                slot: label.slot)
        }
        return engineKeys.withUnsafeBufferPointer { keys in
            var projection = plm_projection(
                label_keys: keys.baseAddress, label_key_count: keys.count, whole_objects: false,
                strict: isStrict, scanner: .automatic, wire_format: format.engine,
                shard: plm_shard())
            return body(&projection)
        }
    }
}

extension WireFormat {
    fileprivate var engine: plm_wire_format {
        switch self {
        case .automatic: .automatic
        case .json: .json
        case .protobuf: .protobuf
        }
    }
}

extension NodeSummary {
    /// Labels that a summary keeps; of the others it knows nothing.
    public static var keptLabels: [String] {
        NodeLabels.keys.map { $0.key.description }
    }

    /// A label by its key; nil where the node has none, or it is not one of ``keptLabels``. Of keys that
    /// mean the same to different providers the summary keeps one value, and gives it for each.
    public func label(_ key: String) -> String? {
        switch NodeLabels.keys.first(where: { $0.key.description == key })?.slot {
        case 0: pool
        case 1: zone
        case 2: instanceType
        case 3: architecture
        default: nil
        }
    }
}
