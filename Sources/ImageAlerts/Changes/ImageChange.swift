public import NodeWatch

/// What a node lists as its images is other than what it was last known to have.
public struct ImageChange: Sendable {
    /// What seems to have happened.
    public enum Classification: String, Sendable, Hashable, CaseIterable {
        /// Images came.
        case pull
        /// Images took the place of others: of the same repository, or of the same total size.
        case replace
        /// Images went: the kubelet's garbage collection, or somebody by hand.
        case gc
        /// Images went while the node was under DiskPressure: the kubelet removes all that are unused
        /// before it evicts pods.
        case evictionReclaim = "eviction-reclaim"
        /// What a reboot left is other than what was there before it.
        case rebooted
        /// Images moved over the edge of a list that the kubelet has cut. What is on the node may be the
        /// same as before.
        case truncationShift = "truncation-shift"
        /// The list has been missing or empty for a while. That is unknown, not zero.
        case listLost = "list-lost"
        /// Another node under the same name, compared with the one before it.
        case nodeRecreated = "node-recreated"

        /// Whether the images on one and the same machine changed. The others tell what else can
        /// look like it.
        public var isOfStorage: Bool {
            switch self {
            case .pull, .replace, .gc, .evictionReclaim, .rebooted: true
            case .truncationShift, .listLost, .nodeRecreated: false
            }
        }
    }

    /// What seems to have happened.
    public var classification: Classification
    /// The node with the last known set before.
    public var previous: NodeSummary
    /// The node now.
    public var current: NodeSummary
    /// `metadata.resourceVersion` at which the present set was first seen; `current` may be later.
    public var resourceVersion: String
    /// Images that came, the largest first.
    public var added: [ContainerImage]
    /// Images that went, the largest first.
    public var removed: [ContainerImage]
    /// Whether the list before was cut at the kubelet's cap.
    public var previousIsTruncated: Bool
    /// Whether the list now is cut at the kubelet's cap: the total is a lower bound.
    public var isTruncated: Bool

    /// By how many bytes the reported total changed; nil where either total is unknown. Of lists that
    /// are cut, a fall is real, and a rise may be larger than it looks.
    public var deltaBytes: Int? {
        guard let old = previous.imageBytes, let new = current.imageBytes else { return nil }
        return new - old
    }

    /// Where the list is cut: how large an image that is not listed can be, in bytes.
    public var hiddenMaxBytesEach: Int? {
        isTruncated ? current.images.map(\.sizeBytes).min() : nil
    }
}

extension ImageChange.Classification {
    /// Of a difference on one machine.
    init(_ difference: ImageSetDifference, underDiskPressure: Bool) {
        let went: Self = underDiskPressure ? .evictionReclaim : .gc
        if difference.removed.isEmpty {
            self = .pull
            return
        }
        if difference.added.isEmpty {
            self = went
            return
        }
        let repositories = Set(difference.removed.compactMap(\.repository))
        // Sums that need not fit in 64 bits.
        let delta =
            difference.added.reduce(0.0) { $0 + Double($1.sizeBytes) }
            - difference.removed.reduce(0.0) { $0 + Double($1.sizeBytes) }
        let isReplaced = difference.added.contains {
            $0.repository.map(repositories.contains) ?? false
        }
        self = delta == 0 || isReplaced ? .replace : delta > 0 ? .pull : went
    }
}
