import KubeClient
import WatchEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

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

    /// The first slot of labels that are kept on demand.
    private static let firstFurther: UInt32 = 4

    /// Lends the projection of a node summary.
    static func withProjection<Result>(
        isStrict: Bool, format: WireFormat = .automatic, further: [String] = [],
        _ body: (UnsafePointer<plm_projection>) -> Result
    ) -> Result {
        var engineKeys = keys.map { label in
            plm_label_key(
                key: UnsafeRawPointer(label.key.utf8Start).assumingMemoryBound(to: CChar.self),
                slot: label.slot)
        }
        // The engine copies them.
        let texts = further.prefix(NodeSummary.mostFurtherLabels).map { strdup($0) }
        defer { texts.forEach { free($0) } }
        for (index, text) in texts.enumerated() {
            if let text {
                engineKeys.append(plm_label_key(key: text, slot: firstFurther + UInt32(index)))
            }
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
    /// Labels that a summary always keeps. Of the others it knows only those that its informer was asked for.
    public static var keptLabels: [String] {
        NodeLabels.keys.map { $0.key.description }
    }

    /// How many labels beyond ``keptLabels`` an informer can be asked to keep.
    public static let mostFurtherLabels = 4

    /// A label by its key; nil where the node has none, or it is not kept. Of keys that
    /// mean the same to different providers the summary keeps one value, and gives it for each.
    public func label(_ key: String) -> String? {
        switch NodeLabels.keys.first(where: { $0.key.description == key })?.slot {
        case 0: pool
        case 1: zone
        case 2: instanceType
        case 3: architecture
        default: furtherLabel(key)
        }
    }

    private func furtherLabel(_ key: String) -> String? {
        record.furtherLabels.firstIndex(of: key).flatMap {
            record.text(PackedText.furtherLabels[$0])
        }
    }
}
