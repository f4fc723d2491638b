import ImageAlerts
import NodeWatch

/// What all pages have in common: head, title, navigation, and headers that let in nothing from elsewhere.
struct PageFrame {
    static let contentType = "text/html; charset=utf-8"

    private static let headers = [
        (
            name: "Content-Security-Policy",
            value: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        (name: "Referrer-Policy", value: "no-referrer"),
        (name: "Cross-Origin-Opener-Policy", value: "same-origin"),
    ]

    /// What the cluster is called.
    let cluster: String
    let version: String

    func answer(
        _ status: Int = 200, title: String, _ body: (inout HTMLText) -> Void
    ) -> HTTPAnswer {
        var html = HTMLText()
        html.raw("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        html.raw("<meta name=\"color-scheme\" content=\"light dark\">")
        html.element("<title>", "\(title) · \(cluster) · Plimsoll", "</title>")
        html.raw("<link rel=\"icon\" href=\"/page/icon.svg\">")
        html.raw("<link rel=\"stylesheet\" href=\"/page/page.css\">")
        html.raw("<script src=\"/page/page.js\" defer></script></head><body>")
        html.raw("<a class=\"skip\" href=\"#main\">Skip to the content</a>")
        html.raw("<header><a class=\"mark\" href=\"/\">Plimsoll</a>")
        html.element("<span class=\"cluster\">", cluster, "</span>")
        html.raw("<nav aria-label=\"Pages\"><a href=\"/\">Overview</a><a href=\"/nodes\">Nodes</a>")
        html.raw("<a href=\"/images\">Images</a><a href=\"/alerts\">Alerts</a></nav></header>")
        html.between("<main id=\"main\">", "</main>", body)
        html.raw("<footer>Plimsoll ")
        html.text(version)
        html.raw(
            " · sizes are what kubelets report: <abbr title=\"What a container runtime reports is no "
        )
        html.raw(
            "use of the disk: layers that images share count once for each of them.\">not the use ")
        html.raw("of the disk</abbr></footer></body></html>")
        var answer = HTTPAnswer(status, Self.contentType, bytes: html.bytes)
        answer.headers = Self.headers
        return answer
    }

    /// Bytes for people, with the sign of a lower bound; "–" where they are unknown.
    static func bytes(_ node: NodeSummary, _ cap: ImageListCap) -> String {
        guard node.imageCount > 0, let bytes = node.imageBytes else { return "–" }
        return (cap.isTruncated(node) ? "≥ " : "") + ByteText.text(bytes)
    }

    /// "12 %"; "" where it is unknown.
    static func share(_ node: NodeSummary) -> String {
        guard node.imageCount > 0, let bytes = node.imageBytes, let capacity = node.capacityBytes,
            capacity > 0
        else { return "" }
        return "\(Int((Double(bytes) / Double(capacity) * 100).rounded())) %"
    }
}
