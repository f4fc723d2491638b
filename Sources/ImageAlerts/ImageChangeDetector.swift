public import NodeWatch

/// Finds image changes among node changes.
///
/// No change are: the first sight of a node, a heartbeat, a list in another order, a new tag on the
/// same digest, a list that is missing or empty (unknown, not zero: the last known set stays and is
/// compared with the next one), and images that move over the edge of a list the kubelet has cut.
public struct ImageChangeDetector: Sendable {
    /// The kubelet's `nodeStatusMaxImages`: how many images it lists at most.
    public enum Cap: Sendable, Hashable {
        /// 50, the default, for each pool until one of its nodes lists more.
        case assumed
        /// That many.
        case images(Int)
        /// No cap.
        case none
    }

    private let cap: Cap
    /// Last known sets of nodes whose list is unknown now.
    private var lastKnown: [String: NodeSummary] = [:]
    /// Pools of which a node has listed more than the default cap.
    private var uncappedPools: Set<String> = []

    /// Starts with what nodes that are there say about caps; with none it learns as they come.
    public init(cap: Cap = .assumed, knowing nodes: [NodeSummary] = []) {
        self.cap = cap
        nodes.forEach { learnCap($0) }
    }

    /// Takes in what happened to a node. Returns the change of its images, if there is one.
    public mutating func observe(_ change: NodeChange) -> ImageChange? {
        switch change {
        case .added(let node, _):
            learnCap(node)
            lastKnown[node.name] = nil
            return nil
        case .deleted(let node):
            if !lastKnown.isEmpty { lastKnown[node.name] = nil }
            return nil
        case .updated(let old, let new):
            if lastKnown.isEmpty, old.hasSameImageEntries(as: new) { return nil }
            learnCap(new)
            return compare(old, new)
        }
    }

    /// Whether a node's list is cut at the cap, as far as that can be known.
    public func isTruncated(_ node: NodeSummary) -> Bool {
        switch cap {
        case .none: return false
        case .images(let count): return count > 0 && node.imageCount >= count
        case .assumed:
            return node.imageCount == NodeSummary.defaultImageCap
                && !uncappedPools.contains(node.pool ?? "")
        }
    }

    private mutating func learnCap(_ node: NodeSummary) {
        if cap == .assumed, node.imageCount > NodeSummary.defaultImageCap {
            uncappedPools.insert(node.pool ?? "")
        }
    }

    private mutating func compare(_ old: NodeSummary, _ new: NodeSummary) -> ImageChange? {
        let base = lastKnown[new.name] ?? old
        guard new.imageCount > 0 else {
            if base.imageCount > 0 { lastKnown[new.name] = base }
            return nil
        }
        lastKnown[new.name] = nil
        guard base.imageCount > 0, base.isSameObject(as: new) else { return nil }

        let (before, after) = (base.images, new.images)
        var difference = ImageSetDifference(from: before, to: after)
        let wasTruncated = isTruncated(base)
        let isTruncated = isTruncated(new)
        difference.discountTruncation(
            from: .init(before, isTruncated: wasTruncated),
            to: .init(after, isTruncated: isTruncated))
        if difference.isEmpty { return nil }
        return ImageChange(
            previous: base, current: new, added: difference.added.largestFirst,
            removed: difference.removed.largestFirst, previousIsTruncated: wasTruncated,
            isTruncated: isTruncated)
    }
}

extension ImageSetDifference.TruncatedList {
    init(_ images: [ContainerImage], isTruncated: Bool) {
        self.isTruncated = isTruncated
        smallestBytes = images.map(\.sizeBytes).min() ?? 0
    }
}

extension [ContainerImage] {
    fileprivate var largestFirst: [ContainerImage] {
        sorted { ($0.sizeBytes, $1.displayName) > ($1.sizeBytes, $0.displayName) }
    }
}
