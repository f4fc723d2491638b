internal import FoundationEssentials
import NodeWatch

/// Nodes of which nothing is said for a while, each with what it will be compared with.
struct NodesOnHold {
    enum Reason {
        /// It has just been made: what it has at the end is its first state.
        case isNew
        /// It takes the place of another of its name.
        case isRecreated
        case isRebooted
        /// Its list is missing or empty.
        case hasLostList
        /// Its base is from before this process; it has not been seen as late as that yet.
        case isRestored
        /// It was deleted; another of its name may come.
        case isGone
    }

    struct Node {
        var reason: Reason
        /// The last known set before; nil where there is none.
        var base: NodeSummary?
        var latest: NodeSummary
        /// At which the set that `latest` has was first seen.
        var setVersion: String
        /// Nil: only another list ends it.
        var due: Date?

        init(_ reason: Reason, base: NodeSummary?, _ node: NodeSummary, due: Date) {
            self.reason = reason
            self.base = base
            self.due = due
            latest = node
            setVersion = node.resourceVersion
        }

        mutating func update(_ node: NodeSummary) {
            if !latest.hasSameImageEntries(as: node) { setVersion = node.resourceVersion }
            latest = node
        }
    }

    private static let maxGone = 1024

    private var nodes: [String: Node] = [:]
    private var goneCount = 0
    /// No later than the first that is due.
    private(set) var nextDue: Date?

    var isEmpty: Bool { nodes.isEmpty }

    subscript(name: String) -> Node? {
        get { nodes.isEmpty ? nil : nodes[name] }
        set {
            if newValue == nil, nodes.isEmpty { return }
            if nodes[name]?.reason == .isGone { goneCount -= 1 }
            if newValue?.reason == .isGone {
                // Of a cluster that loses all its nodes not all are kept.
                if goneCount == Self.maxGone {
                    nodes[name] = nil
                    return
                }
                goneCount += 1
            }
            nodes[name] = newValue
            if let due = newValue?.due { nextDue = nextDue.map { min($0, due) } ?? due }
        }
    }

    /// Takes out those that are from before this process, in the order of names.
    mutating func takeRestored() -> [(name: String, node: Node)] {
        let restored = nodes.filter { $0.value.reason == .isRestored }
        for name in restored.keys { nodes[name] = nil }
        return restored.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Takes out what is due by then, in the order of names.
    mutating func takeDue(_ time: Date) -> [(name: String, node: Node)] {
        guard let nextDue, nextDue <= time else { return [] }
        let due = nodes.filter { $0.value.due.map { $0 <= time } ?? false }
        for name in due.keys { self[name] = nil }
        self.nextDue = nodes.values.compactMap(\.due).min()
        return due.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
