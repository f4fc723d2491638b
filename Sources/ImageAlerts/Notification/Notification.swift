import FoundationEssentials

/// What a receiver is told at once: one alert, or several of a kind.
public struct Notification: Sendable {
    /// The same for the same alerts.
    public var id: String
    /// The same for all of a group: rule, status, and the image they have in common.
    public var group: String
    /// Never empty; in the order in which they were made.
    public var alerts: [Alert]
    /// One line for people: nodes, bytes and image.
    public internal(set) var summary: String

    /// Together of so many nodes.
    public var nodeCount: Int { Set(alerts.compactMap(\.node?.name)).count }
    /// The first, for what all have in common.
    public var first: Alert { alerts[0] }

    init(_ alerts: [Alert], group: String) {
        self.alerts = alerts
        self.group = group
        id = alerts.count == 1 ? alerts[0].id : Alert.identifier(alerts.map(\.id).sorted())
        summary = alerts.count == 1 ? alerts[0].summary : Self.summary(of: alerts)
    }

    /// What makes alerts be of a group.
    static func key(_ alert: Alert) -> String {
        let subject = alert.added.first?.name ?? alert.classification ?? ""
        return [alert.cluster.name, alert.rule, alert.status.rawValue, subject]
            .joined(separator: "\u{1f}")
    }

    /// The same without some of its alerts; nil where nothing is left.
    func without(_ ids: Set<String>) -> Notification? {
        let rest = alerts.filter { !ids.contains($0.id) }
        if rest.count == alerts.count { return self }
        return rest.isEmpty ? nil : Notification(rest, group: group)
    }

    /// The first of its alerts, so many at most, and the others; nil where there are not so many.
    func split(after count: Int) -> (Notification, Notification)? {
        guard alerts.count > count else { return nil }
        return (
            Notification(Array(alerts.prefix(count)), group: group),
            Notification(Array(alerts.dropFirst(count)), group: group)
        )
    }

    // MARK: Text

    private static let mostNames = 3

    private static func summary(of alerts: [Alert]) -> String {
        let first = alerts[0]
        let nodes = Set(alerts.compactMap(\.node?.name))
        let span = alerts.map(\.time).max()!.timeIntervalSince(alerts.map(\.time).min()!)
        let within = "within \(DurationText.text(.seconds(max(1, Int(span.rounded(.up))))))"
        let count = "\(nodes.count) node\(nodes.count == 1 ? "" : "s")"
        let deltas = alerts.compactMap(\.deltaBytes)
        if first.previous != nil, !deltas.isEmpty {
            let total = deltas.reduce(0) { $0.addingWithinBounds($1) }
            let each =
                Set(deltas).count == 1
                ? "\(ByteText.delta(deltas[0])) each"
                : "\(ByteText.delta(total / deltas.count)) on average"
            let what =
                first.added.first.map { "image \($0.name)" } ?? first.classification ?? first.rule
            return "\(what) on \(count) \(within), \(each), \(ByteText.delta(total)) in all"
        }
        let word = first.status == .resolved ? "resolved on" : "on"
        let names = nodes.sorted().prefix(mostNames).joined(separator: ", ")
        let others = nodes.count - mostNames
        return "\(first.rule) \(word) \(count) \(within): \(names)"
            + (others > 0 ? " and \(others) more" : "")
    }
}
