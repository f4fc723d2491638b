import KubeClient

/// Somebody who is told of alerts.
public struct Sink: Sendable {
    /// Who that is, and what must be known to reach them.
    enum Kind: Sendable {
        case alertmanager(urls: [Secret])
        case slack(url: Secret)
        case teams(url: Secret)
        case pagerDuty(url: String, routingKey: Secret)
        /// Signed where there are secrets, the newest first.
        case webhook(url: Secret, secrets: [Secret], isCloudEvent: Bool)
        /// An Event on the node, in the cluster itself.
        case kubernetesEvent
    }

    /// How we show who we are.
    enum Authorization: Sendable {
        case bearer(Secret)
        case basic(user: String, password: Secret)
    }

    /// Unique among the sinks.
    public let name: String
    let kind: Kind
    var authorization: Authorization?
    var security = HTTPEndpoint.Security()
    var proxy: String?
    /// Of one attempt.
    var timeout = Duration.seconds(15)
    /// Less bad is not told.
    var leastSeverity = Rule.Severity.info
    /// Patterns of rules' names; none: all.
    var rules: [Glob] = []
    /// Whether what lasts is told when it is over.
    var tellsResolved = true
    /// Messages, in the long run.
    var perMinute = 60

    init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// Whether an alert is for it.
    func wants(_ alert: Alert) -> Bool {
        guard let severity = Rule.Severity(rawValue: alert.severity),
            severity >= leastSeverity,
            tellsResolved || alert.status == .firing
        else { return false }
        return rules.isEmpty || rules.contains { $0.matches(alert.rule) }
    }

    /// Whether it puts alerts together by itself, and wants each.
    var groupsByItself: Bool {
        switch kind {
        case .alertmanager, .pagerDuty, .kubernetesEvent: true
        case .slack, .teams, .webhook: false
        }
    }

    /// In one message; more alerts make several. Nil: however many, for they are told as a sum.
    var mostAlertsAtOnce: Int? {
        if case .webhook = kind { 50 } else { nil }
    }
}
