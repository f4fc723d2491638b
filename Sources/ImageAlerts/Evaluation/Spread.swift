import NodeWatch

/// On how many nodes of a rule's scope images are that match.
struct Spread: Sendable {
    private enum State: Sendable {
        case has
        case hasNot
        /// Its list is missing or cut: it may be there.
        case unknown
    }

    /// Images are the same values for all nodes: each is matched once.
    private static let mostKnownImages = 65_536

    private let pattern: ImagePattern
    private let limit: Rule.SpreadLimit
    private var states: [String: State] = [:]
    private var has = 0
    private var unknown = 0
    private var matches: [ContainerImage: Bool] = [:]

    init(_ pattern: ImagePattern, _ limit: Rule.SpreadLimit) {
        self.pattern = pattern
        self.limit = limit
    }

    mutating func take(_ node: NodeSummary, before: NodeSummary?, isTruncated: Bool) {
        let name = node.name
        if let before, before.hasSameImageEntries(as: node), states[name] != nil { return }
        let state: State =
            node.images.contains { isMatch($0) }
            ? .has : node.imageCount == 0 || isTruncated ? .unknown : .hasNot
        set(state, of: name)
    }

    mutating func forget(_ name: String) { set(nil, of: name) }

    private mutating func set(_ state: State?, of name: String) {
        if case .has? = states[name] { has -= 1 }
        if case .unknown? = states[name] { unknown -= 1 }
        states[name] = state
        if case .has? = state { has += 1 }
        if case .unknown? = state { unknown += 1 }
    }

    private mutating func isMatch(_ image: ContainerImage) -> Bool {
        if let known = matches[image] { return known }
        if matches.count == Self.mostKnownImages { matches = [:] }
        let isMatch = pattern.matches(image)
        matches[image] = isMatch
        return isMatch
    }

    /// What holds now of all nodes together.
    var verdict: Verdict {
        func count(_ count: Rule.NodeCount) -> Double {
            switch count {
            case .nodes(let count): Double(count)
            case .percent(let percent): (Double(states.count) * percent / 100).rounded(.up)
            }
        }
        let words = pattern.texts.joined(separator: ", ")
        let unsure = unknown == 0 ? "" : ", \(unknown) may have it"
        switch limit {
        case .atLeast(let least):
            let threshold = count(least)
            return Verdict(
                isTrue: threshold > 0 && Double(has) >= threshold,
                measure: .init(value: Double(has), threshold: threshold, unit: .nodes),
                detail: "\(words) on \(has) of \(states.count) nodes (≥ \(Int(threshold)))\(unsure)"
            )
        case .fewerThan(let bound):
            let threshold = count(bound)
            // What may be there is not missed.
            let most = Double(has + unknown)
            return Verdict(
                isTrue: most < threshold,
                measure: .init(value: Double(has), threshold: threshold, unit: .nodes),
                detail: "\(words) on \(has) of \(states.count) nodes (< \(Int(threshold)))\(unsure)"
            )
        }
    }
}
