import FoundationEssentials
public import ImageAlerts
public import NodeWatch

/// The page: what people look at in a browser. No resource comes from elsewhere, and all but the map works without
/// scripts.
public struct Pages: Sendable {
    /// The paths it serves.
    public static let paths = ["/", "/nodes", "/images", "/alerts"]

    private let informer: SharedNodeInformer
    private let views: ClusterViews
    private let alerts: RecentAlerts
    private let history: NodeHistory
    private let frame: PageFrame
    private let objection: @Sendable () -> String?
    private let role: @Sendable () -> String?

    /// - Parameters:
    ///   - informer: Of the nodes.
    ///   - cluster: What it is called.
    ///   - cap: How long lists of images can be.
    ///   - alerts: Those that were told.
    ///   - history: What nodes reported.
    ///   - version: Of the program.
    ///   - objection: Why the view of the nodes cannot be relied on; nil: it can.
    ///   - role: What this replica does; nil: it is the only one.
    public init(
        _ informer: SharedNodeInformer, cluster: String, cap: ImageListCap.Setting,
        alerts: RecentAlerts, history: NodeHistory, version: String,
        objection: @escaping @Sendable () -> String?, role: @escaping @Sendable () -> String?
    ) {
        self.informer = informer
        views = ClusterViews(informer, cap)
        self.alerts = alerts
        self.history = history
        frame = PageFrame(cluster: cluster, version: version)
        self.objection = objection
        self.role = role
    }

    /// The answer to a request; nil for another path.
    public func answer(_ request: HTTPRequest) -> HTTPAnswer? {
        switch request.path {
        case "/": overview
        case "/nodes":
            made("Nodes") { view, html in
                NodesPage(view: view, query: ListQuery(request, sort: "bytes")).write(to: &html)
            }
        case "/images":
            made("Images") { view, html in
                ImagesPage(view: view, query: ListQuery(request, sort: "total")).write(to: &html)
            }
        case "/alerts":
            frame.answer(title: "Alerts") { html in
                html.raw("<h1>Alerts</h1>")
                PageTables.alerts(alerts.all, to: &html)
            }
        case "/page/cells": HTTPAnswer { await CellData.answer(views.current) }
        case "/page/events": HTTPAnswer(events: alerts.events())
        default: PageAssets.answer(request.path) ?? node(request.path)
        }
    }

    private var overview: HTTPAnswer {
        let (alerts, status) = (alerts.all, PageStatus(objection: objection(), role: role()))
        return made("Overview") { view, html in
            OverviewPage(view: view, status: status, alerts: alerts).write(to: &html)
        }
    }

    /// A page that is made of a view.
    private func made(
        _ title: String, _ write: @escaping @Sendable (ClusterView, inout HTMLText) -> Void
    ) -> HTTPAnswer {
        HTTPAnswer {
            let view = await views.current
            return frame.answer(title: title) { write(view, &$0) }
        }
    }

    private func node(_ path: String) -> HTTPAnswer? {
        guard path.hasPrefix("/node/"), let name = String(path.dropFirst(6)).fromPath else {
            return nil
        }
        guard let node = informer.store[name] else {
            return frame.answer(404, title: "Node not found") { html in
                html.raw("<h1>Node not found</h1>")
                html.element("<p>There is no node ", name, " now.</p>")
                html.raw("<p><a href=\"/nodes\">All nodes</a></p>")
            }
        }
        let alerts = alerts.all.filter { $0.node?.name == name }
        let plot = HistoryPlot(
            points: history.points(of: name),
            now: UInt32(clamping: Int(Date().timeIntervalSince1970)))
        return made(name) { view, html in
            NodePage(node: node, cap: view.cap, history: plot, alerts: alerts).write(to: &html)
        }
    }
}
