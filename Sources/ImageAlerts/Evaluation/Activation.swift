import FoundationEssentials
import NodeWatch

/// A rule and what it is about there.
struct Subject: Hashable, Sendable, Comparable {
    /// Which of the engine's rules.
    var rule: Int
    /// The node's name; "" for the cluster.
    var node: String

    static func < (left: Self, right: Self) -> Bool {
        (left.node, left.rule) < (right.node, right.rule)
    }

    /// The same where rules have other places; nil where its rule has none.
    func moved(_ places: [Int: Int]) -> Subject? {
        places[rule].map { Subject(rule: $0, node: node) }
    }
}

extension Dictionary where Key == Subject {
    /// The same where rules have other places, without those of rules that have none.
    func moved(_ places: [Int: Int]) -> Self {
        var result: Self = [:]
        for (subject, value) in self {
            if let moved = subject.moved(places) { result[moved] = value }
        }
        return result
    }
}

/// What lasts: how a rule's being true becomes an alert, and that its end.
///
/// ```
/// inactive ──true──▶ pending ──for so long──▶ firing ──clear──▶ ending ──so long──▶ resolved
///              ◀─not true─┘                     ◀──true──┘
/// ```
struct Activation: Sendable, Codable {
    enum Phase: String, Sendable, Codable {
        case pending
        case firing
        /// Over, but told so only after a while.
        case ending
    }

    /// What is to be told.
    enum Step: Sendable {
        case begins
        case ends
    }

    private(set) var phase = Phase.pending
    /// When it became true.
    let since: Date
    /// When time alone brings it on; nil: only news do.
    private(set) var due: Date?
    /// What was found when it was true last, for its end to say.
    var verdict: Verdict
    /// What was found last.
    private(set) var latest: Verdict
    /// At which it began.
    let resourceVersion: String?
    let imageSet: String

    /// - Parameter imageSet: What ``Alert/imageSet`` was then.
    init(_ verdict: Verdict, since: Date, resourceVersion: String?, imageSet: String) {
        self.verdict = verdict
        latest = verdict
        self.since = since
        self.resourceVersion = resourceVersion
        self.imageSet = imageSet
    }

    /// Takes in what holds at a time. Returns what is to be told; nil with `isOver` when nothing is left.
    mutating func step(
        _ verdict: Verdict, _ rule: Rule, _ time: Date
    ) -> (step: Step?, isOver: Bool) {
        latest = verdict
        switch phase {
        case .pending:
            guard verdict.isTrue || !verdict.isClear else { return (nil, true) }
            if verdict.isTrue { self.verdict = verdict }
            let end = since.addingTimeInterval(rule.hold / .seconds(1))
            guard end <= time else {
                due = end
                return (nil, false)
            }
            phase = .firing
            due = nil
            return (.begins, false)
        case .firing:
            guard verdict.isClear else {
                if verdict.isTrue { self.verdict = verdict }
                return (nil, false)
            }
            if rule.keepFiringFor == .zero { return (.ends, true) }
            phase = .ending
            due = time.addingTimeInterval(rule.keepFiringFor / .seconds(1))
            return (nil, false)
        case .ending:
            guard verdict.isClear else {
                phase = .firing
                due = nil
                return (nil, false)
            }
            if let due, due <= time { return (.ends, true) }
            return (nil, false)
        }
    }
}
