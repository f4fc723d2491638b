import ImageAlerts
package import NodeWatch

/// Tables that several pages have.
enum PageTables {
    static func nodes(
        _ nodes: some Sequence<NodeSummary>, _ cap: ImageListCap, to html: inout HTMLText
    ) {
        html.raw("<table><thead><tr><th scope=\"col\">Node</th><th scope=\"col\">Pool</th>")
        html.raw(
            "<th scope=\"col\" class=\"n\">Images</th><th scope=\"col\" class=\"n\">Image storage</th>"
        )
        html.raw(
            "<th scope=\"col\" class=\"n\">Of its disk</th><th scope=\"col\">State</th></tr></thead><tbody>"
        )
        for node in nodes {
            html.raw("<tr><th scope=\"row\">")
            link(node.name, to: &html)
            html.element("</th><td>", node.pool ?? "", "</td>")
            html.element("<td class=\"n\">", node.imageCount.grouped, "</td>")
            html.element("<td class=\"n\">", PageFrame.bytes(node, cap), "</td>")
            html.element("<td class=\"n\">", PageFrame.share(node), "</td>")
            html.element("<td>", state(of: node).joined(separator: ", "), "</td></tr>")
        }
        html.raw("</tbody></table>")
    }

    static func link(_ node: String, to html: inout HTMLText) {
        html.raw("<a href=\"/node/")
        html.text(node.inPath)
        html.element("\">", node, "</a>")
    }

    static func state(of node: NodeSummary) -> [String] {
        node.troubles + (node.imageCount == 0 ? ["no list"] : [])
    }

    static func images(_ images: some Sequence<ClusterImage>, to html: inout HTMLText) {
        html.raw(
            "<table><thead><tr><th scope=\"col\">Image</th><th scope=\"col\" class=\"n\">Size</th>")
        html.raw(
            "<th scope=\"col\" class=\"n\">Nodes</th><th scope=\"col\" class=\"n\">Total</th></tr></thead><tbody>"
        )
        for image in images {
            html.element("<tr><th scope=\"row\" class=\"name\">", image.image.displayName, "</th>")
            html.element("<td class=\"n\">", ByteText.text(image.image.sizeBytes), "</td>")
            html.element("<td class=\"n\">", image.nodes.grouped, "</td>")
            html.element(
                "<td class=\"n\">", image.totalBytes.map(ByteText.text) ?? "–", "</td></tr>")
        }
        html.raw("</tbody></table>")
    }

    /// "2026-11-29 10:06:25Z", of RFC 3339.
    private static func clock(_ time: String) -> String {
        time.prefix(19).replacing("T", with: " ") + "Z"
    }

    /// Without the node, which has a column of its own.
    private static func what(_ alert: Alert) -> String {
        guard let node = alert.node else { return alert.summary }
        return alert.summary.replacing("\(node.name): ", with: "", maxReplacements: 1)
    }

    /// The script puts further ones on top.
    static func alerts(_ alerts: some Sequence<Alert>, to html: inout HTMLText) {
        html.raw("<div class=\"alerts\" aria-live=\"polite\"><table data-alerts><thead><tr>")
        html.raw(
            "<th scope=\"col\">Time</th><th scope=\"col\">Severity</th><th scope=\"col\">Rule</th>")
        html.raw("<th scope=\"col\">Node</th><th scope=\"col\">What</th></tr></thead><tbody>")
        var isEmpty = true
        for alert in alerts {
            isEmpty = false
            html.raw("<tr><td><time datetime=\"")
            html.text(alert.observedAt)
            html.element("\">", clock(alert.observedAt), "</time></td>")
            html.raw("<td><span class=\"severity ")
            html.text(alert.status == .resolved ? "resolved" : alert.severity)
            html.element(
                "\">", alert.status == .resolved ? "resolved" : alert.severity, "</span></td>")
            html.element("<td>", alert.rule, "</td><td>")
            if let node = alert.node { link(node.name, to: &html) }
            html.element("</td><td>", what(alert), "</td></tr>")
        }
        if isEmpty {
            html.raw(
                "<tr class=\"none\"><td colspan=\"5\">None since this process began.</td></tr>")
        }
        html.raw("</tbody></table></div>")
    }
}

extension NodeSummary {
    /// What is not as it should be with the machine, in words for people.
    package var troubles: [String] {
        var words: [String] = []
        if ready != .isTrue { words.append("not ready") }
        if diskPressure == .isTrue { words.append("disk pressure") }
        if isUnschedulable { words.append("cordoned") }
        return words
    }
}
