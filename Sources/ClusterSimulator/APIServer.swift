import NIOCore
import NIOHTTP1
import Synchronization

/// The routes of the simulated API server.
final class APIServer: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        var path: String
        var query: [String: String]
        var accept: String
        var bearerToken: String?
        /// Common name of the client's certificate, where it gave one.
        var certificateUser: String?
        /// Whom the user wants to act as.
        var impersonatedUser: String?
        var body: [UInt8]
    }

    enum Response: Sendable {
        case json(Int, [UInt8], headers: [(String, String)] = [])
        case html(Int, String)
        case stream(any BodyProducer)
        /// No answer at all.
        case hang
        /// The connection closes without an answer.
        case close
    }

    private enum User {
        case admin
        case nobody(String)
    }

    private struct ListPage: Sendable {
        var nodes: [SimulatedNode]
        var resourceVersion: Int
    }

    let cluster: Cluster
    let faults: Faults
    private let options: SimulatorServer.Options
    /// Snapshots that continue tokens refer to, the latest few.
    private let pages = Mutex<[ListPage]>([])

    init(_ cluster: Cluster, _ options: SimulatorServer.Options, _ faults: Faults) {
        self.cluster = cluster
        self.options = options
        self.faults = faults
    }

    func respond(to request: Request, on eventLoop: any EventLoop) -> Response {
        guard var user = authenticate(request) else { return status(.unauthorized) }
        if let name = request.impersonatedUser, case .admin = user, name != options.adminUser {
            user = .nobody(name)
        }
        switch request.path {
        case "/version", "/version/": return .json(200, Array(Self.version.utf8))
        case "/api": return .json(200, Array(Self.coreVersions.utf8))
        case "/apis":
            return .json(200, Array(#"{"kind":"APIGroupList","apiVersion":"v1","groups":[]}"#.utf8))
        case "/api/v1": return .json(200, Array(Self.coreResources.utf8))
        case "/livez", "/readyz", "/healthz": return .json(200, Array("\"ok\"".utf8))
        default: break
        }
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 3, parts[0] == "api", parts[1] == "v1", parts[2] == "nodes",
            parts.count <= 4
        else {
            return status(
                StatusBody(
                    code: 404, reason: "NotFound",
                    message: "the server could not find the requested resource"))
        }
        guard request.method == .GET else {
            return status(
                StatusBody(
                    code: 405, reason: "MethodNotAllowed",
                    message: "the server does not allow this method on the requested resource"))
        }
        let isWatch = ["true", "1"].contains(request.query["watch"])
        if case .nobody(let name) = user {
            let verb = parts.count == 4 ? "get" : isWatch ? "watch" : "list"
            return status(.forbidden(user: name, verb: verb))
        }
        let format = NodeFormat(accept: request.accept)
        if parts.count == 4 { return get(parts[3], format) }
        if let fault = faults.take(isWatch: isWatch) {
            return faulty(fault, request, format, on: eventLoop)
        }
        do {
            return isWatch
                ? try watch(request, format, on: eventLoop) : try list(request, format)
        } catch {
            return status(.badRequest(error.message))
        }
    }

    // MARK: Who asks

    private func authenticate(_ request: Request) -> User? {
        if let user = request.certificateUser {
            return user == options.adminUser ? .admin : .nobody(user)
        }
        switch request.bearerToken {
        case options.token: return .admin
        case options.viewerToken: return .nobody("viewer")
        default: return nil
        }
    }

    // MARK: Nodes

    private func get(_ name: String, _ format: NodeFormat) -> Response {
        guard let node = cluster.node(name) else { return status(.notFound(name)) }
        var json = JSONText()
        format.appendObject(node, cluster, to: &json)
        return .json(200, json.bytes)
    }

    private func selector(_ request: Request) throws(NodeSelector.Invalid) -> NodeSelector {
        try NodeSelector(
            labelSelector: request.query["labelSelector"] ?? "",
            fieldSelector: request.query["fieldSelector"] ?? "")
    }

    private func list(
        _ request: Request, _ format: NodeFormat
    ) throws(NodeSelector.Invalid) -> Response {
        let selector = try selector(request)
        let limit = Int(request.query["limit"] ?? "") ?? 0
        if let token = request.query["continue"], !token.isEmpty {
            return nextPage(token, limit, format)
        }
        let wanted = request.query["resourceVersion"] ?? ""
        guard wanted.isEmpty || Int(wanted) != nil else { return status(Self.badVersion(wanted)) }
        let now = cluster.snapshot()
        if let version = Int(wanted), version > now.resourceVersion {
            return status(.tooLarge(version, current: now.resourceVersion))
        }
        let nodes =
            selector.selectsAll
            ? now.nodes
            : now.nodes.filter { selector.matches($0, cluster.encoder(of: $0).profile) }
        // resourceVersion=0 is answered from the watch cache, which does not page.
        if limit == 0 || wanted == "0" {
            return .stream(
                ListProducer(
                    cluster, nodes[...], format, resourceVersion: now.resourceVersion,
                    continueToken: nil, remaining: nil))
        }
        let page = ListPage(nodes: nodes, resourceVersion: now.resourceVersion)
        pages.withLock { pages in
            pages.append(page)
            if pages.count > 8 { pages.removeFirst() }
        }
        return pageResponse(page, from: 0, limit, format)
    }

    /// Tokens are "RESOURCEVERSION.OFFSET".
    private func nextPage(_ token: String, _ limit: Int, _ format: NodeFormat) -> Response {
        let parts = token.split(separator: ".").compactMap { Int($0) }
        guard parts.count == 2 else { return status(.badRequest("continue key is not valid")) }
        let page = pages.withLock { pages in
            pages.first { $0.resourceVersion == parts[0] && parts[1] <= $0.nodes.count }
        }
        guard let page, page.resourceVersion >= cluster.oldestResourceVersion else {
            return status(
                StatusBody(
                    code: 410, reason: "Expired",
                    message: "The provided continue parameter is too old to display a consistent "
                        + "list result. You can start a new list without the continue parameter."))
        }
        return pageResponse(page, from: parts[1], limit, format)
    }

    private func pageResponse(
        _ page: ListPage, from: Int, _ limit: Int, _ format: NodeFormat
    ) -> Response {
        let end = limit > 0 ? min(from + limit, page.nodes.count) : page.nodes.count
        let rest = page.nodes.count - end
        return .stream(
            ListProducer(
                cluster, page.nodes[from..<end], format, resourceVersion: page.resourceVersion,
                continueToken: rest > 0 ? "\(page.resourceVersion).\(end)" : nil,
                remaining: rest > 0 ? rest : nil))
    }

    private func watch(
        _ request: Request, _ format: NodeFormat, on eventLoop: any EventLoop,
        withEndBookmark: Bool = true
    ) throws(NodeSelector.Invalid) -> Response {
        let query = request.query
        let version = query["resourceVersion"] ?? ""
        guard version.isEmpty || Int(version) != nil else {
            return status(Self.badVersion(version))
        }
        let sendsInitial = query["sendInitialEvents"] == "true"
        if sendsInitial, !options.hasStreamingLists {
            return status(
                Self.invalidOptions(
                    "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the "
                        + "WatchList feature gate is enabled"))
        }
        if sendsInitial, query["resourceVersionMatch"] != "NotOlderThan" {
            return status(
                Self.invalidOptions(
                    "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                        + "resourceVersionMatch to NotOlderThan"))
        }
        if sendsInitial, let wanted = Int(version), wanted > cluster.resourceVersion {
            return status(.tooLarge(wanted, current: cluster.resourceVersion))
        }
        let bookmarks = ["true", "1"].contains(query["allowWatchBookmarks"])
        let seconds = Int(query["timeoutSeconds"] ?? "") ?? 1800
        return .stream(
            WatchProducer(
                cluster,
                WatchProducer.Request(
                    format: format, selector: try selector(request),
                    after: sendsInitial || version.isEmpty || version == "0" ? nil : Int(version),
                    endsInitialEvents: sendsInitial && bookmarks && withEndBookmark,
                    allowsBookmarks: bookmarks, timeout: .seconds(max(1, seconds)),
                    bookmarkInterval: options.bookmarkInterval),
                on: eventLoop))
    }

    // MARK: Faults

    private func faulty(
        _ fault: Faults.Fault, _ request: Request, _ format: NodeFormat, on eventLoop: any EventLoop
    ) -> Response {
        switch fault {
        case .status(let code, let retryAfter):
            let body = StatusBody(
                code: code, reason: Faults.reason(code), message: "simulated \(code)",
                retryAfterSeconds: retryAfter)
            return status(body)
        case .html:
            return .html(200, "<!DOCTYPE html>\n<html><body>Please log in</body></html>\n")
        case .hang: return .hang
        case .close: return .close
        case .truncate(let bytes):
            let isWatch = ["true", "1"].contains(request.query["watch"])
            let response =
                isWatch
                ? try? watch(request, format, on: eventLoop) : try? list(request, format)
            guard case .stream(let whole) = response else { return .close }
            return .stream(TruncatedProducer(whole, after: bytes))
        case .missingEndBookmark:
            return
                (try? watch(request, format, on: eventLoop, withEndBookmark: false)) ?? .close
        }
    }

    // MARK: Fixed answers

    private func status(_ body: StatusBody) -> Response {
        .json(
            body.code, body.json.bytes,
            headers: body.retryAfterSeconds.map { [("Retry-After", "\($0)")] } ?? [])
    }

    private static func badVersion(_ text: String) -> StatusBody {
        StatusBody(
            code: 500,
            message: "resourceVersion: Invalid value: \"\(text)\": strconv.ParseUint: parsing "
                + "\"\(text)\": invalid syntax")
    }

    private static func invalidOptions(_ message: String) -> StatusBody {
        StatusBody(
            code: 422, reason: "Invalid",
            message: "ListOptions.meta.k8s.io \"\" is invalid: \(message)", kind: "ListOptions")
    }

    private static let version = """
        {"major":"1","minor":"36","gitVersion":"v1.36.2+plimsoll-sim","gitCommit":"",\
        "gitTreeState":"clean","buildDate":"2026-11-01T00:00:00Z","goVersion":"none",\
        "compiler":"swift","platform":"linux/amd64"}
        """

    private static let coreVersions = """
        {"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}
        """

    private static let coreResources = """
        {"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"nodes",\
        "singularName":"node","namespaced":false,"kind":"Node","verbs":["get","list","watch"],\
        "shortNames":["no"]}]}
        """
}

/// A body that breaks off in the middle.
private final class TruncatedProducer: BodyProducer {
    private let whole: any BodyProducer
    // SAFETY: used on one event loop only.
    nonisolated(unsafe) private var left: Int

    init(_ whole: any BodyProducer, after bytes: Int) {
        self.whole = whole
        left = bytes
    }

    func start(wake: @escaping @Sendable () -> Void) { whole.start(wake: wake) }
    func stop() { whole.stop() }

    func next() -> BodyPiece {
        guard left > 0 else { return .cut }
        switch whole.next() {
        case .bytes(let bytes):
            let part = bytes.prefix(left)
            left -= part.count
            return .bytes(Array(part))
        case .end: return .cut
        case let other: return other
        }
    }
}
