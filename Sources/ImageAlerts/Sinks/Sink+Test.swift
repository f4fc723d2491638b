import FoundationEssentials
public import KubeClient

extension Alert {
    /// One that says that it is a test.
    public static func test(
        _ severity: Rule.Severity, cluster: String, node: String?, uid: String
    ) -> Alert {
        var alert = Alert(
            Rule("plimsoll-test", .diskPressure, severity: severity), cluster: cluster,
            time: Date())
        alert.reason = "Test"
        alert.lasts = false
        if let node {
            alert.node = Alert.Node(name: node, uid: uid)
        }
        alert.detail = "this is a test; nothing is wrong"
        alert.finish()
        return alert
    }
}

extension Sink {
    /// Tells it of one alert, once. Nil when it took it, else why not.
    public func test(
        _ alert: Alert, _ client: KubeClient?, userAgent: String
    ) async -> String? {
        if case .kubernetesEvent = kind, client == nil || alert.node == nil {
            return "an Event is about a node: name one with --node"
        }
        let sender = SinkSender(sink: self, client: client, userAgent: userAgent)
        switch await sender.send([Notification([alert], group: "test")], at: Date()) {
        case .delivered: return nil
        case .later(let reason, _), .refused(let reason): return reason
        }
    }
}
