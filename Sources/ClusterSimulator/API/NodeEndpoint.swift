import NIOCore
import ObjectEncoding
import Synchronization

/// Reading nodes: get, list and watch, and what is to go wrong with it.
final class NodeEndpoint: Sendable {
    private struct ListPage: Sendable {
        var nodes: [SimulatedNode]
        var resourceVersion: Int
        var shard: String?
    }

    let cluster: Cluster
    private let faults: Faults
    private let options: SimulatorServer.Options
    /// Snapshots that continue tokens refer to, the latest few.
    private let pages = Mutex<[ListPage]>([])

    init(_ cluster: Cluster, _ options: SimulatorServer.Options, _ faults: Faults) {
        self.cluster = cluster
        self.options = options
        self.faults = faults
    }

    func respond(
        to request: APIRequest, _ name: String?, on eventLoop: any EventLoop
    ) -> APIResponse {
        let format = NodeFormat(accept: request.accept)
        if let name { return get(name, format) }
        if let fault = faults.take(isWatch: request.isWatch) {
            return faulty(fault, request, format, on: eventLoop)
        }
        do {
            return request.isWatch
                ? try watch(request, format, on: eventLoop) : try list(request, format)
        } catch {
            return .status(error.status)
        }
    }

    private func get(_ name: String, _ format: NodeFormat) -> APIResponse {
        guard let node = cluster.node(name) else { return .status(.notFound(.nodes, name)) }
        var json = JSONText()
        format.appendObject(node, cluster, to: &json)
        json.raw("\n")
        return .json(200, json.bytes)
    }

    private func selector(_ request: APIRequest) throws(InvalidSelector) -> NodeSelector {
        var shardSelector = request.query["shardSelector"] ?? ""
        switch options.shardSelection {
        case .serve: break
        case .ignore: shardSelector = ""
        case .refuse:
            if !shardSelector.isEmpty {
                throw InvalidSelector(message: "shard selectors are not enabled")
            }
        }
        return try NodeSelector(
            labelSelector: request.query["labelSelector"] ?? "",
            fieldSelector: request.query["fieldSelector"] ?? "", shardSelector: shardSelector)
    }

    private func list(
        _ request: APIRequest, _ format: NodeFormat
    ) throws(InvalidSelector) -> APIResponse {
        let selector = try selector(request)
        let limit = Int(request.query["limit"] ?? "") ?? 0
        if let token = request.query["continue"], !token.isEmpty {
            return nextPage(token, limit, selector, format)
        }
        let wanted = request.query["resourceVersion"] ?? ""
        guard wanted.isEmpty || Int(wanted) != nil else {
            return .status(WatchParameters.badVersion(wanted))
        }
        var now = cluster.snapshot()
        if let version = Int(wanted), version > now.resourceVersion {
            return .status(.tooLarge(version, current: now.resourceVersion))
        }
        if request.query["resourceVersionMatch"] == "Exact", let version = Int(wanted), version > 0
        {
            guard let nodes = cluster.snapshot(at: version) else { return .status(.listExpired) }
            now = (nodes, version)
        }
        let nodes = selected(now.nodes, selector)
        // resourceVersion=0 is answered from the watch cache, which does not page.
        if limit == 0 || wanted == "0" {
            return .stream(
                ListProducer(
                    cluster, nodes[...], format,
                    ListMetadata(
                        resourceVersion: now.resourceVersion, shard: selector.shard?.text)))
        }
        let page = ListPage(
            nodes: nodes, resourceVersion: now.resourceVersion, shard: selector.shard?.text)
        pages.withLock { pages in
            pages.append(page)
            if pages.count > 8 { pages.removeFirst() }
        }
        return pageResponse(page, from: 0, limit, format)
    }

    /// Tokens are "RESOURCEVERSION:NAME": what comes after that name. With -1 for the version they
    /// go on with the nodes as they are now.
    private func nextPage(
        _ token: String, _ limit: Int, _ selector: NodeSelector, _ format: NodeFormat
    ) -> APIResponse {
        let parts = token.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, let version = Int(parts[0]) else {
            return .status(.badRequest("continue key is not valid"))
        }
        var page = pages.withLock { $0.first { $0.resourceVersion == version } }
        if version == -1 {
            let now = cluster.snapshot()
            page = ListPage(
                nodes: selected(now.nodes, selector), resourceVersion: now.resourceVersion)
        } else if version < cluster.oldestResourceVersion {
            page = nil
        }
        guard let page else { return .status(.continueExpired(fresh: "-1:\(parts[1])")) }
        let start = page.nodes.firstIndex { $0.name > parts[1] } ?? page.nodes.count
        return pageResponse(page, from: start, limit, format)
    }

    private func selected(_ nodes: [SimulatedNode], _ selector: NodeSelector) -> [SimulatedNode] {
        if selector.selectsAll { return nodes }
        return nodes.filter { selector.matches($0, cluster.encoder(of: $0)) }
    }

    private func pageResponse(
        _ page: ListPage, from: Int, _ limit: Int, _ format: NodeFormat
    ) -> APIResponse {
        let end = limit > 0 ? min(from + limit, page.nodes.count) : page.nodes.count
        let rest = page.nodes.count - end
        return .stream(
            ListProducer(
                cluster, page.nodes[from..<end], format,
                ListMetadata(
                    resourceVersion: page.resourceVersion,
                    continueToken: rest > 0 && end > 0
                        ? "\(page.resourceVersion):\(page.nodes[end - 1].name)" : nil,
                    remaining: rest > 0 ? rest : nil, shard: page.shard)))
    }

    private func watch(
        _ request: APIRequest, _ format: NodeFormat, on eventLoop: any EventLoop,
        withEndBookmark: Bool = true
    ) throws(InvalidSelector) -> APIResponse {
        let selector = try selector(request)
        let parameters = WatchParameters(request, options, current: cluster.resourceVersion)
        guard var watch = parameters.request else { return .status(parameters.refusal) }
        if !withEndBookmark { watch.endsInitialEvents = false }
        return .stream(
            WatchProducer(feed(selector, format), watch, on: eventLoop))
    }

    private func feed(_ selector: NodeSelector, _ format: NodeFormat) -> WatchFeed<SimulatedNode> {
        let cluster = cluster
        return WatchFeed(
            resourceVersion: { cluster.resourceVersion },
            watchAfter: { cluster.watch(after: $0, $1) },
            watchFromNow: { cluster.watchFromNow($0) },
            stopWatching: { cluster.stopWatching($0) },
            matches: { selector.matches($0, cluster.encoder(of: $0)) },
            writer: format.writer(cluster))
    }

    // MARK: Faults

    private func faulty(
        _ fault: Faults.Fault, _ request: APIRequest, _ format: NodeFormat,
        on eventLoop: any EventLoop
    ) -> APIResponse {
        func status(_ code: Int, _ retryAfter: Int?) -> StatusBody {
            StatusBody(
                code: code, reason: Faults.reason(code), message: "simulated \(code)",
                retryAfterSeconds: retryAfter)
        }
        func spoiled(_ spoil: SpoiledProducer.Spoil) -> APIResponse {
            let response =
                request.isWatch
                ? try? watch(request, format, on: eventLoop) : try? list(request, format)
            guard case .stream(let whole) = response else { return .close }
            return .stream(SpoiledProducer(whole, spoil))
        }
        switch fault {
        case .status(let code, let retryAfter): return .status(status(code, retryAfter))
        case .event(let code, let retryAfter):
            guard request.isWatch else { return .status(status(code, retryAfter)) }
            let writer = format.writer(cluster)
            return .whole(200, writer.contentType, writer.error(status(code, retryAfter)))
        case .html:
            return .html(200, "<!DOCTYPE html>\n<html><body>Please log in</body></html>\n")
        case .hang: return .hang
        case .close: return .close
        case .truncate(let bytes): return spoiled(.cut(afterBytes: bytes, isReset: false))
        case .reset(let bytes): return spoiled(.cut(afterBytes: bytes, isReset: true))
        case .stall(let bytes): return spoiled(.stall(afterBytes: bytes))
        case .drip(let rate): return spoiled(.drip(bytesPerSecond: rate, eventLoop))
        case .duplicates:
            // A list is one object, whose parts cannot come twice.
            return request.isWatch
                ? spoiled(.duplicates) : (try? list(request, format)) ?? .close
        case .json:
            return
                (try? request.isWatch
                ? watch(request, .object, on: eventLoop) : list(request, .object)) ?? .close
        case .garbage:
            let wire = format.wireFormat
            let type = request.isWatch ? wire.watchContentType : wire.contentType
            // A frame whose event does not end, or a bracket that does not.
            return .whole(200, type, wire == .json ? Array("{]".utf8) : [0, 0, 0, 2, 0x0a, 0x7f])
        case .missingEndBookmark:
            return
                (try? watch(request, format, on: eventLoop, withEndBookmark: false)) ?? .close
        }
    }
}
