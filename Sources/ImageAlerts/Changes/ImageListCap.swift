public import NodeWatch

/// The kubelet's `nodeStatusMaxImages`: how many images a node lists at most, the largest first.
///
/// The API does not tell it. A list that is as long as the cap may be cut: its sum is a lower bound,
/// and each image that is not listed is no larger than the smallest that is.
public struct ImageListCap: Sendable {
    /// What is known of it beforehand.
    public enum Setting: Sendable, Hashable {
        /// 50, the default, for each pool until one of its nodes lists more.
        case assumed
        /// That many.
        case images(Int)
        /// No cap.
        case none
    }

    private let setting: Setting
    /// Pools of which a node has listed more than the default cap.
    private var uncappedPools: Set<String> = []

    /// Starts with what nodes that are there say about caps; with none it learns as they come.
    public init(_ setting: Setting = .assumed, knowing nodes: [NodeSummary] = []) {
        self.setting = setting
        nodes.forEach { learn($0) }
    }

    /// Takes in how many images a node lists.
    public mutating func learn(_ node: NodeSummary) {
        if setting == .assumed, node.imageCount > NodeSummary.defaultImageCap {
            uncappedPools.insert(node.pool ?? "")
        }
    }

    /// Whether a node's list is cut at the cap, as far as that can be known.
    public func isTruncated(_ node: NodeSummary) -> Bool {
        switch setting {
        case .none: false
        case .images(let count): count > 0 && node.imageCount >= count
        case .assumed:
            node.imageCount == NodeSummary.defaultImageCap
                && !uncappedPools.contains(node.pool ?? "")
        }
    }
}
