import KubeClient
import NodeWatch

/// What kubelets said of the filesystems of images, and whose kubelets are to be asked: those of nodes
/// whose images changed, and of nodes that stand near a threshold.
struct ImageFSReadings: Sendable {
    /// By how much compressed images grow when they are unpacked, about: to guess who is worth asking.
    private static let growth = 2.5

    private struct Entry: Sendable {
        var node: NodeSummary
        var reading: ImageFileSystem?
    }

    private var entries: [String: Entry] = [:]
    private var toAsk: Set<String> = []

    subscript(name: String) -> ImageFileSystem? { entries.isEmpty ? nil : entries[name]?.reading }

    /// Takes in a node; wants to hear of it where a rule does.
    mutating func look(
        at node: NodeSummary, _ before: NodeSummary?, _ rules: [Rule], _ indices: [Int]
    ) {
        if entries[node.name] != nil { entries[node.name]?.node = node }
        let isChanged = before.map { !$0.hasSameImageEntries(as: node) } ?? false
        for index in indices {
            guard case .high(_, let clear, let basis) = rules[index].condition, basis != .reported,
                isChanged || isNear(clear, node), rules[index].scope.contains(node)
            else { continue }
            toAsk.insert(node.name)
            if entries[node.name] == nil { entries[node.name] = Entry(node: node) }
        }
    }

    private func isNear(_ limit: Rule.Amount, _ node: NodeSummary) -> Bool {
        let factor = node.basis == .reportedCompressed ? Self.growth : 1
        switch limit {
        case .percent(let percent): return (node.percentOfCapacity ?? 0) * factor >= percent
        case .bytes(let bytes): return Double(node.imageBytes ?? 0) * factor >= Double(bytes)
        }
    }

    /// Takes in an answer. The node as it was known last; nil where nobody asked.
    mutating func take(_ reading: ImageFileSystem, of name: String) -> NodeSummary? {
        guard entries[name] != nil else { return nil }
        entries[name]?.reading = reading
        return entries[name]?.node
    }

    mutating func takeNodesToAsk() -> [String] {
        if toAsk.isEmpty { return [] }
        defer { toAsk = [] }
        return toAsk.sorted()
    }

    /// A node that fires is asked again and again, for its end to be seen.
    mutating func askAgain(_ name: String) {
        if entries[name] != nil { toAsk.insert(name) }
    }

    mutating func forget(_ name: String) {
        if entries.isEmpty { return }
        entries[name] = nil
        toAsk.remove(name)
    }
}

extension Alert.ImageFS {
    init(_ reading: ImageFileSystem) {
        usedBytes = reading.usedBytes
        capacityBytes = reading.capacityBytes
        availableBytes = reading.availableBytes
        time = reading.time
    }
}
