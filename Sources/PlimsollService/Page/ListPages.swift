import ImageAlerts
import NodeWatch

/// A part of a long list: which, and how it is sorted.
struct ListQuery {
    private static let size = 100

    var sort: String
    var search: String
    private let page: Int

    init(_ request: HTTPRequest, sort: String) {
        self.sort = request.query["sort"] ?? sort
        search = (request.query["q"] ?? "").fromPath ?? ""
        page = max(1, Int(request.query["page"] ?? "") ?? 1)
    }

    /// Those of this page.
    func part<Element>(_ all: [Element]) -> ArraySlice<Element> {
        let start = min((page - 1) * Self.size, all.count)
        return all[start..<min(start + Self.size, all.count)]
    }

    /// Links to the pages before and after.
    func write(of count: Int, to html: inout HTMLText) {
        let last = max(1, (count + Self.size - 1) / Self.size)
        html.raw("<nav class=\"pages\" aria-label=\"Parts of the list\">")
        if page > 1 { link(page - 1, "Previous", to: &html) }
        html.element(
            "<span>", "Part \(page.grouped) of \(last.grouped), \(count.grouped) in all", "</span>")
        if page < last { link(page + 1, "Next", to: &html) }
        html.raw("</nav>")
    }

    private func link(_ page: Int, _ text: String, to html: inout HTMLText) {
        html.raw("<a href=\"?sort=")
        html.text(sort.inPath)
        html.raw("&amp;q=")
        html.text(search.inPath)
        html.raw("&amp;page=")
        html.number(page)
        html.element("\">", text, "</a>")
    }

    /// A form that asks for the same list otherwise; it needs no script.
    func writeForm(_ orders: [(value: String, text: String)], to html: inout HTMLText) {
        html.raw(
            "<form class=\"filter\" method=\"get\"><label>Contains <input name=\"q\" type=\"search\" value=\""
        )
        html.text(search)
        html.raw("\"></label> <label>Sorted by <select name=\"sort\">")
        for order in orders {
            html.raw("<option value=\"")
            html.text(order.value)
            html.raw(order.value == sort ? "\" selected>" : "\">")
            html.element("", order.text, "</option>")
        }
        html.raw("</select></label> <button>Show</button></form>")
    }
}

/// All nodes.
struct NodesPage {
    private static let orders: [(value: String, text: String)] = [
        ("bytes", "image storage"), ("share", "share of the disk"), ("images", "number of images"),
        ("pool", "pool"), ("name", "name"),
    ]

    let view: ClusterView
    let query: ListQuery

    func write(to html: inout HTMLText) {
        html.raw("<h1>Nodes</h1>")
        query.writeForm(Self.orders, to: &html)
        let nodes = sorted(
            query.search.isEmpty
                ? view.fullest
                : view.fullest.filter {
                    $0.name.contains(query.search) || ($0.pool ?? "").contains(query.search)
                })
        PageTables.nodes(query.part(nodes), view.cap, to: &html)
        query.write(of: nodes.count, to: &html)
    }

    private func sorted(_ nodes: [NodeSummary]) -> [NodeSummary] {
        func by<Key: Comparable>(_ key: (NodeSummary) -> Key) -> [NodeSummary] {
            nodes.map { ($0, key($0)) }.sorted { $0.1 < $1.1 }.map(\.0)
        }
        switch query.sort {
        case "name": return by(\.name)
        case "images": return by { -$0.imageCount }
        case "pool": return by { "\($0.pool ?? "")\u{1f}\($0.name)" }
        case "share":
            return by { node in
                guard node.imageCount > 0, let bytes = node.imageBytes,
                    let capacity = node.capacityBytes, capacity > 0
                else { return 1.0 }
                return -Double(bytes) / Double(capacity)
            }
        default: return nodes
        }
    }
}

/// All images.
struct ImagesPage {
    private static let orders: [(value: String, text: String)] = [
        ("total", "size times nodes"), ("size", "size"), ("nodes", "number of nodes"),
        ("name", "name"),
    ]

    let view: ClusterView
    let query: ListQuery

    func write(to html: inout HTMLText) {
        html.raw("<h1>Images</h1>")
        query.writeForm(Self.orders, to: &html)
        let images = sorted(
            query.search.isEmpty
                ? view.images
                : view.images.filter { $0.image.displayName.contains(query.search) })
        PageTables.images(query.part(images), to: &html)
        query.write(of: images.count, to: &html)
    }

    private func sorted(_ images: [ClusterImage]) -> [ClusterImage] {
        switch query.sort {
        case "size": images.sorted { $0.image.sizeBytes > $1.image.sizeBytes }
        case "nodes": images.sorted { $0.nodes > $1.nodes }
        case "name": images.sorted { $0.image.displayName < $1.image.displayName }
        default: images
        }
    }
}

/// One node.
struct NodePage {
    let node: NodeSummary
    let cap: ImageListCap
    let history: HistoryPlot
    let alerts: [Alert]

    func write(to html: inout HTMLText) {
        html.element("<h1>", node.name, "</h1><dl class=\"facts\">")
        let state = PageTables.state(of: node)
        let facts = [
            ("Reported image storage", PageFrame.bytes(node, cap)),
            ("Of its disk", PageFrame.share(node)), ("Images", node.imageCount.grouped),
            ("Pool", node.pool ?? ""), ("Zone", node.zone ?? ""),
            ("Instance type", node.instanceType ?? ""),
            ("Sizes are", node.basis == .reportedCompressed ? "compressed" : "uncompressed"),
            ("Runtime", node.containerRuntimeVersion ?? ""),
            ("State", state.isEmpty ? "ready" : state.joined(separator: ", ")),
        ]
        for (name, value) in facts where !value.isEmpty {
            html.element("<div><dt>", name, "</dt>")
            html.element("<dd>", value, "</dd></div>")
        }
        html.raw("</dl><section><h2>Image storage over time</h2>")
        history.write(to: &html)
        html.raw("</section><section><h2>Images</h2>")
        if cap.isTruncated(node) {
            html.raw(
                "<p class=\"hint\">The kubelet lists its largest images only: there may be more.</p>"
            )
        }
        html.raw(
            "<table><thead><tr><th scope=\"col\">Image</th><th scope=\"col\" class=\"n\">Size</th></tr>"
        )
        html.raw("</thead><tbody>")
        for image in node.images {
            html.element("<tr><th scope=\"row\" class=\"name\">", image.displayName, "</th>")
            html.element("<td class=\"n\">", ByteText.text(image.sizeBytes), "</td></tr>")
        }
        html.raw("</tbody></table></section><section><h2>Recent alerts</h2>")
        PageTables.alerts(alerts, to: &html)
        html.raw("</section>")
    }
}
