public import NodeWatch

/// Which nodes a rule looks at: those that match all that is given. What is not given matches all.
public struct RuleScope: Sendable, Hashable {
    /// Patterns of names.
    public var names: [Glob] = []
    /// Patterns of node pools.
    public var pools: [Glob] = []
    /// Labels, as kubectl selects by them.
    public var labels: LabelRequirements?

    /// All nodes.
    public init() {}

    /// Whether it is all nodes.
    public var isEverything: Bool { names.isEmpty && pools.isEmpty && labels == nil }

    /// Whether a node is meant.
    public func contains(_ node: NodeSummary) -> Bool {
        if isEverything { return true }
        if !names.isEmpty {
            let name = node.name
            guard names.contains(where: { $0.matches(name) }) else { return false }
        }
        if !pools.isEmpty {
            let pool = node.pool ?? ""
            guard pools.contains(where: { $0.matches(pool) }) else { return false }
        }
        return labels?.matches { node.label($0) } ?? true
    }
}
