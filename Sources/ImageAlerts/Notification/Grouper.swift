public import FoundationEssentials

/// Puts alerts of a kind together, so that a rollout is told in a handful of messages.
///
/// The first of a group waits for others, briefly; what comes after they were told waits longer. It has
/// no clock: time is what the caller says it is.
public struct Grouper: Sendable {
    /// How long alerts wait for others of their kind.
    public struct Options: Sendable, Hashable {
        /// The first of a group. Zero: nobody waits, and nothing is grouped.
        public var wait = Duration.seconds(30)
        /// Those that come after the group was told last.
        public var interval = Duration.seconds(300)

        /// The defaults, which are Alertmanager's.
        public init() {}
    }

    private struct Group: Sendable {
        var alerts: [Alert] = []
        var due: Date
    }

    /// In memory; more of one group are told without waiting.
    private static let mostAlerts = 10_000

    private let options: Options
    private var groups: [String: Group] = [:]

    /// Nothing waits yet.
    public init(_ options: Options = Options()) { self.options = options }

    /// When ``take(_:)`` may have something.
    public var nextDue: Date? { groups.values.map(\.due).min() }
    /// How many alerts wait.
    public var count: Int { groups.values.reduce(0) { $0 + $1.alerts.count } }

    /// Lets an alert wait.
    public mutating func add(_ alert: Alert, at time: Date) {
        let key = Notification.key(alert)
        let due = time.addingTimeInterval(options.wait / .seconds(1))
        groups[key, default: Group(due: due)].alerts.append(alert)
        if groups[key]!.alerts.count >= Self.mostAlerts { groups[key]!.due = time }
    }

    /// What has waited long enough, in the order in which it began.
    ///
    /// - Parameter everything: Nobody waits any longer.
    public mutating func take(_ time: Date, everything: Bool = false) -> [Notification] {
        var due = Set(groups.filter { everything || $0.value.due <= time }.keys)
        if due.isEmpty { return [] }
        // Nothing more has come for a whole interval.
        for key in due where groups[key]!.alerts.isEmpty {
            groups[key] = nil
            due.remove(key)
        }
        addEarlier(to: &due)
        let inOrder = due.map { ($0, groups[$0]!) }.sorted {
            ($0.1.alerts[0].time, $0.0) < ($1.1.alerts[0].time, $1.0)
        }
        return inOrder.map { key, group in
            let isGrouping = options.wait > .zero
            groups[key] =
                isGrouping
                ? Group(due: time.addingTimeInterval(options.interval / .seconds(1))) : nil
            return Notification(group.alerts, group: key)
        }
    }

    /// Lets go of alerts that need not be told any more.
    mutating func drop(_ ids: Set<String>) {
        for key in groups.keys { groups[key]?.alerts.removeAll { ids.contains($0.id) } }
    }

    /// What waits.
    var alerts: [Alert] { groups.values.flatMap(\.alerts) }

    /// What came before on the nodes of groups that are due goes with them: a beginning before its end.
    private func addEarlier(to due: inout Set<String>) {
        var hasGrown = true
        while hasGrown {
            hasGrown = false
            var last: [String: Date] = [:]
            for key in due {
                for alert in groups[key]!.alerts {
                    let node = alert.node?.name ?? ""
                    last[node] = max(last[node] ?? alert.time, alert.time)
                }
            }
            for (key, group) in groups where !due.contains(key) {
                let isEarlier = group.alerts.contains { alert in
                    last[alert.node?.name ?? ""].map { alert.time <= $0 } ?? false
                }
                if isEarlier {
                    due.insert(key)
                    hasGrown = true
                }
            }
        }
    }
}
