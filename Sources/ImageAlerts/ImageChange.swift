public import NodeWatch

/// The set of images on a node is another than the last one known.
public struct ImageChange: Sendable {
    /// What seems to have happened.
    public enum Classification: String, Sendable, Hashable {
        /// Images came.
        case pull
        /// Images took the place of others: of the same repository, or of the same total size.
        case replace
        /// Images went.
        case gc
    }

    /// The node with the last known set before.
    public var previous: NodeSummary
    /// The node now.
    public var current: NodeSummary
    /// Images that came, the largest first.
    public var added: [ContainerImage]
    /// Images that went, the largest first.
    public var removed: [ContainerImage]
    /// Whether the list before was cut at the kubelet's cap.
    public var previousIsTruncated: Bool
    /// Whether the list now is cut at the kubelet's cap: the total is a lower bound.
    public var isTruncated: Bool

    /// By how many bytes the reported total changed; nil where either total does not fit in 64 bits.
    public var deltaBytes: Int? {
        guard let old = previous.imageBytes, let new = current.imageBytes else { return nil }
        return new - old
    }

    /// What seems to have happened.
    public var classification: Classification {
        if removed.isEmpty { return .pull }
        if added.isEmpty { return .gc }
        let repositories = Set(removed.compactMap(\.repository))
        let delta =
            added.reduce(0.0) { $0 + Double($1.sizeBytes) }
            - removed.reduce(0.0) { $0 + Double($1.sizeBytes) }
        if delta == 0
            || added.contains(where: { $0.repository.map(repositories.contains) ?? false })
        {
            return .replace
        }
        return delta > 0 ? .pull : .gc
    }
}
