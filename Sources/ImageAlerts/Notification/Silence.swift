public import FoundationEssentials

/// Alerts that nobody wants to hear of until a time.
public struct Silence: Sendable, Hashable {
    /// Patterns of rules' names; none: all.
    public var rules: [Glob] = []
    /// Patterns of nodes' names; none: all, and alerts of no node.
    public var nodes: [Glob] = []
    /// Patterns of node pools; none: all.
    public var pools: [Glob] = []
    /// Severities; none: all.
    public var severities: Set<Rule.Severity> = []
    /// From when on; nil: since ever.
    public var from: Date?
    /// Until when.
    public var until: Date
    /// Why, for people.
    public var comment: String?

    /// Of all alerts.
    public init(until: Date) { self.until = until }

    /// Whether an alert is meant, whenever it comes.
    func matches(_ alert: Alert) -> Bool {
        func fits(_ patterns: [Glob], _ text: String?) -> Bool {
            patterns.isEmpty || text.map { text in patterns.contains { $0.matches(text) } } ?? false
        }
        return fits(rules, alert.rule) && fits(nodes, alert.node?.name)
            && fits(pools, alert.node?.pool)
            && (severities.isEmpty || severities.contains { $0.rawValue == alert.severity })
    }

    func isActive(_ time: Date) -> Bool { (from.map { $0 <= time } ?? true) && time < until }
}

/// Keeps alerts back that are silenced. What lasts and outlasts its silence is told when that ends; its end
/// is not told where its beginning was not.
public struct Silencer: Sendable {
    /// Those of them that do not matter any more may be there, too.
    public let silences: [Silence]
    /// How many alerts were kept back for good.
    public private(set) var silenced = 0
    /// Firing, and not told: by fingerprint.
    private var muted: [String: Alert] = [:]

    /// Keeps nothing back yet.
    public init(_ silences: [Silence]) { self.silences = silences }

    /// Those that are to be told.
    public mutating func pass(_ alerts: [Alert], at time: Date) -> [Alert] {
        if silences.isEmpty { return alerts }
        return alerts.filter { alert in
            if alert.status == .resolved, muted.removeValue(forKey: alert.fingerprint) != nil {
                silenced += 2
                return false
            }
            guard silences.contains(where: { $0.isActive(time) && $0.matches(alert) }) else {
                return true
            }
            if alert.lasts, alert.status == .firing {
                muted[alert.fingerprint] = alert
            } else if alert.status == .firing {
                silenced += 1
            } else {
                // Who was told that it began is told that it ended.
                return true
            }
            return false
        }
    }

    /// Keeps back what fires already, where a silence says so: it may never have been told. False: none does.
    mutating func adopt(_ alert: Alert, at time: Date) -> Bool {
        guard silences.contains(where: { $0.isActive(time) && $0.matches(alert) }) else {
            return false
        }
        muted[alert.fingerprint] = alert
        return true
    }

    /// Those whose silence is over.
    public mutating func advance(to time: Date) -> [Alert] {
        if muted.isEmpty { return [] }
        let free = muted.values.filter { alert in
            !silences.contains { $0.isActive(time) && $0.matches(alert) }
        }
        for alert in free { muted[alert.fingerprint] = nil }
        return free.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    }
}
