import KubeClient

/// Bodies for people who read them in a chat.
enum ChatPayload {
    /// Slack's limit of a section's text, and some way below it.
    private static let mostSlackText = 2900
    /// Teams takes 28 KB.
    private static let mostTeamsText = 12_000
    private static let mostNodes = 10

    private static func title(_ notification: Notification) -> String {
        let first = notification.first
        let word = first.status == .resolved ? "RESOLVED" : first.severity.uppercased()
        return "[\(word)] \(first.rule) · \(first.cluster.name)"
    }

    /// What is known beside the summary, few words each.
    private static func facts(_ notification: Notification) -> [(String, String)] {
        let first = notification.first
        var facts: [(String, String)] = []
        if notification.alerts.count == 1 {
            if let node = first.node {
                facts.append(("Node", node.name))
                if let pool = node.pool { facts.append(("Pool", pool)) }
            }
            if first.previous != nil {
                facts.append(("Images", "\(first.totals) (\(first.deltaText))"))
            }
            if let percent = first.percentOfCapacity {
                facts.append(("Of ephemeral storage", PercentText.text(percent)))
            }
        } else {
            let names = Set(notification.alerts.compactMap(\.node?.name)).sorted()
            facts.append(
                (
                    "Nodes",
                    names.prefix(mostNodes).joined(separator: ", ")
                        + (names.count > mostNodes ? " and \(names.count - mostNodes) more" : "")
                ))
        }
        if let basis = first.basis { facts.append(("Sizes are", basis)) }
        facts.append(("Seen", first.observedAt))
        if let url = first.runbookURL { facts.append(("Runbook", url)) }
        return facts
    }

    /// An incoming webhook of Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    static func slack(_ notification: Notification) -> JSONValue {
        let summary = notification.summary
        let text = escaped("*\(title(notification))*\n\(summary)")
        let details = facts(notification).map { "\($0): \($1)" }.joined(separator: "\n")
        return [
            "text": .string(cut(escaped("\(title(notification)): \(summary)"), mostSlackText)),
            "blocks": .array([
                [
                    "type": "section",
                    "text": ["type": "mrkdwn", "text": .string(cut(text, mostSlackText))],
                ],
                [
                    "type": "context",
                    "elements": .array([
                        ["type": "mrkdwn", "text": .string(cut(escaped(details), mostSlackText))]
                    ]),
                ],
            ]),
        ]
    }

    /// A Teams workflow: an Adaptive Card 1.2.
    static func teams(_ notification: Notification) -> JSONValue {
        let facts = facts(notification).map { name, value -> JSONValue in
            ["title": .string(name), "value": .string(cut(value, mostSlackText))]
        }
        let color =
            notification.first.status == .resolved
            ? "good"
            : ["critical": "attention", "warning": "warning"][notification.first.severity]
                ?? "default"
        return [
            "type": "message",
            "attachments": .array([
                [
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": .null,
                    "content": [
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "type": "AdaptiveCard", "version": "1.2",
                        "body": .array([
                            [
                                "type": "TextBlock", "text": .string(title(notification)),
                                "weight": "bolder", "size": "medium", "wrap": true,
                                "color": .string(color),
                            ],
                            [
                                "type": "TextBlock",
                                "text": .string(cut(notification.summary, mostTeamsText)),
                                "wrap": true,
                            ],
                            ["type": "FactSet", "facts": .array(facts)],
                        ]),
                    ],
                ]
            ]),
        ]
    }

    /// What would be markup: names come from the cluster.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
        return result
    }

    static func cut(_ text: String, _ length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "…"
    }
}
