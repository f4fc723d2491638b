import FoundationEssentials
import KubeClient

/// Bodies for programs.
enum MachinePayload {
    /// PagerDuty's limits.
    private static let mostPagerSummary = 1024

    /// Our own: a notification with its alerts in full.
    static func plimsoll(_ notification: Notification) throws(KubeError) -> JSONValue {
        let first = notification.first
        var alerts: [JSONValue] = []
        for alert in notification.alerts { alerts.append(try json(alert)) }
        return [
            "schemaVersion": .integer(1), "id": .string(notification.id),
            "rule": .string(first.rule), "status": .string(first.status.rawValue),
            "severity": .string(first.severity), "cluster": ["name": .string(first.cluster.name)],
            "summary": .string(notification.summary),
            "alertCount": .integer(Int64(notification.alerts.count)),
            "nodeCount": .integer(Int64(notification.nodeCount)), "alerts": .array(alerts),
        ]
    }

    private static func json(_ alert: Alert) throws(KubeError) -> JSONValue {
        try JSONValue(parsing: Array(alert.jsonLine.utf8))
    }

    /// CloudEvents 1.0, structured: https://github.com/cloudevents/spec
    static func cloudEvent(_ notification: Notification) throws(KubeError) -> JSONValue {
        let first = notification.first
        var event: JSONValue = [
            "specversion": "1.0", "id": .string(notification.id),
            "source": .string(
                "/clusters/\(PercentEncoding.encoded(first.cluster.name, butNot: "-._~"))/nodes"),
            "type": .string("dev.plimsoll.alert.\(first.status.rawValue).v1"),
            "time": .string(first.observedAt), "datacontenttype": "application/json",
            "data": try plimsoll(notification),
        ]
        if notification.nodeCount == 1, let node = first.node {
            event["subject"] = .string(node.name)
        }
        return event
    }

    /// Alertmanager's API v2: https://prometheus.io/docs/alerting/latest/clients/
    ///
    /// - Parameter end: When it is over, unless it is told again before.
    static func alertmanager(_ alert: Alert, end: Date) -> JSONValue {
        var labels: [String: JSONValue] = alert.labels.mapValues { .string($0) }
        labels["alertname"] = .string(alert.rule)
        labels["severity"] = .string(alert.severity)
        labels["cluster"] = .string(alert.cluster.name)
        if let node = alert.node {
            labels["node"] = .string(node.name)
            if let pool = node.pool { labels["pool"] = .string(pool) }
            if let zone = node.zone { labels["zone"] = .string(zone) }
        }
        if !alert.lasts {
            // One occurrence is not the next.
            if let image = alert.added.first ?? alert.removed.first {
                labels["image"] = .string(image.name)
            }
            if let classification = alert.classification {
                labels["classification"] = .string(classification)
            }
        }
        var annotations: [String: JSONValue] = [
            "summary": .string(alert.summary), "id": .string(alert.id),
        ]
        if let url = alert.runbookURL { annotations["runbook_url"] = .string(url) }
        return [
            "labels": .object(labels), "annotations": .object(annotations),
            "startsAt": .string(alert.startsAt), "endsAt": .string(Alert.text(end)),
        ]
    }

    /// PagerDuty's Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview
    ///
    /// - Returns: Path and body. What is for information is a change event, which pages nobody.
    static func pagerDuty(
        _ alert: Alert, routingKey: String
    ) throws(KubeError) -> (path: String, body: JSONValue) {
        var payload: JSONValue = [
            "summary": .string(ChatPayload.cut(alert.summary, mostPagerSummary)),
            "source": .string(alert.node?.name ?? alert.cluster.name),
            "timestamp": .string(alert.observedAt), "custom_details": try json(alert),
        ]
        if alert.severity == Rule.Severity.info.rawValue {
            return (
                "/v2/change/enqueue", ["routing_key": .string(routingKey), "payload": payload]
            )
        }
        payload["severity"] = .string(alert.severity)
        payload["component"] = .string(alert.cluster.name)
        payload["class"] = .string(alert.reason)
        if let pool = alert.node?.pool { payload["group"] = .string(pool) }
        var body: JSONValue = [
            "routing_key": .string(routingKey),
            "event_action": .string(alert.status == .resolved ? "resolve" : "trigger"),
            "dedup_key": .string(alert.lasts ? alert.fingerprint : alert.id),
            "payload": payload, "client": "plimsoll",
        ]
        if let url = alert.runbookURL {
            body["links"] = .array([["href": .string(url), "text": "Runbook"]])
        }
        return ("/v2/enqueue", body)
    }
}
