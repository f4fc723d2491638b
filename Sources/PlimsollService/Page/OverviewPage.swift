import ImageAlerts
import NodeWatch

/// The cluster at a glance.
struct OverviewPage {
    private static let mostFullest = 10
    private static let mostImages = 10
    private static let mostAlerts = 10

    let view: ClusterView
    let status: PageStatus
    let alerts: [Alert]

    func write(to html: inout HTMLText) {
        html.raw("<h1>Overview</h1>")
        html.between("<div data-live=\"summary\">", "</div>") { writeSummary(to: &$0) }
        html.raw(
            "<section aria-labelledby=\"map-title\"><h2 id=\"map-title\">Nodes by image storage</h2>"
        )
        html.raw(
            "<p class=\"hint\">Every cell is a node, by pool. <span class=\"js\">Arrow keys move, Enter "
        )
        html.raw("opens. </span>The <a href=\"/nodes\">table of nodes</a> says the same.</p>")
        html.raw("<div id=\"map\" data-source=\"/page/cells\"></div></section>")
        html.between("<div class=\"columns\" data-live=\"tables\">", "</div>") { html in
            html.raw("<div>")
            writePools(to: &html)
            html.raw("<section><h2>Images that take the most</h2>")
            PageTables.images(view.images.prefix(Self.mostImages), to: &html)
            html.raw("<p><a href=\"/images\">All images</a></p></section></div>")
            writeFullest(to: &html)
        }
        html.raw(
            "<section aria-labelledby=\"alerts-title\"><h2 id=\"alerts-title\">Recent alerts</h2>")
        PageTables.alerts(alerts.prefix(Self.mostAlerts), to: &html)
        html.raw("<p><a href=\"/alerts\">More alerts</a></p></section>")
    }

    private func writeSummary(to html: inout HTMLText) {
        html.raw("<dl class=\"facts\">")
        html.element("<div><dt>Nodes</dt><dd>", view.nodeCount.grouped, "</dd></div>")
        html.element(
            "<div><dt>Reported image storage</dt><dd>",
            view.storage.text, "</dd></div>")
        html.element("<div><dt>Images</dt><dd>", view.images.count.grouped, "</dd></div>")
        html.raw("<div><dt>Watch</dt><dd>")
        if let objection = status.objection {
            html.element("<span class=\"bad\">", objection, "</span>")
        } else {
            html.raw("<span class=\"good\">up to date</span>")
        }
        html.raw("</dd></div>")
        if let role = status.role {
            html.element("<div><dt>This replica</dt><dd>", role, "</dd></div>")
        }
        html.raw("</dl>")
    }

    private func writePools(to html: inout HTMLText) {
        html.raw("<section><h2>Pools</h2><table><thead><tr><th scope=\"col\">Pool</th>")
        html.raw(
            "<th scope=\"col\" class=\"n\">Nodes</th><th scope=\"col\" class=\"n\">Image storage</th>"
        )
        html.raw("<th scope=\"col\" class=\"n\">Fullest node</th></tr></thead><tbody>")
        for pool in view.pools {
            html.raw("<tr><th scope=\"row\">")
            html.text(pool.name.isEmpty ? "(none)" : pool.name)
            html.element("</th><td class=\"n\">", pool.nodes.count.grouped, "</td>")
            html.element(
                "<td class=\"n\">", pool.storage.text, "</td>")
            html.element("<td class=\"n\">", ByteText.text(pool.fullest), "</td></tr>")
        }
        html.raw("</tbody></table></section>")
    }

    private func writeFullest(to html: inout HTMLText) {
        html.raw("<section><h2>Fullest nodes</h2>")
        PageTables.nodes(view.fullest.prefix(Self.mostFullest), view.cap, to: &html)
        html.raw("<p><a href=\"/nodes\">All nodes</a></p></section>")
    }
}

/// How the watch and this replica are.
struct PageStatus: Sendable {
    /// Why the view cannot be relied on; nil: it can.
    var objection: String?
    /// What this replica does, where there are several.
    var role: String?
}
