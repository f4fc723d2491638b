import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers `/livez` and `/readyz`, for a kubelet's probes and for people: 200 or 503, with
/// `?verbose` a line for each check, and `/readyz/NAME` for one check alone.
///
/// It takes GET and HEAD only, a few connections at a time, and none that stays silent.
public final class HealthServer: Sendable {
    /// It cannot listen there.
    public struct CannotListen: Error, CustomStringConvertible {
        /// One line: where, and why not.
        public var description: String
    }

    /// What is looked at when somebody asks.
    public struct Reports: Sendable {
        /// Whether the process must be started anew.
        public var live: @Sendable () -> HealthReport
        /// Whether it can be relied on.
        public var ready: @Sendable () -> HealthReport

        /// Closures that are called for each request; they must not block.
        public init(
            live: @escaping @Sendable () -> HealthReport,
            ready: @escaping @Sendable () -> HealthReport
        ) {
            self.live = live
            self.ready = ready
        }
    }

    /// Who is silent for so long is hung up on.
    private static let patience = TimeAmount.seconds(10)
    /// A pod has a few probes and perhaps a person.
    private static let maxConnections = 64

    /// The port it listens on.
    public let port: Int
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup

    /// Starts to listen.
    ///
    /// - Throws: ``CannotListen``.
    public init(_ address: ListenAddress, _ reports: Reports) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let open = OpenConnections(limit: Self.maxConnections)
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(allTimeout: Self.patience))
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(HealthConnection(reports, open))
                    }
                }
                .bind(host: address.host, port: address.port).get()
        } catch {
            try? await group.shutdownGracefully()
            throw CannotListen(
                description: "cannot listen on \(address.host):\(address.port): \(error)")
        }
        port = channel.localAddress?.port ?? 0
    }

    /// Stops listening and closes all connections.
    public func stop() async {
        try? await channel.close()
        try? await group.shutdownGracefully()
    }
}

/// How many connections there are. Used on the server's one event loop only.
private final class OpenConnections: Sendable {
    let limit: Int
    // SAFETY: used on the server's one event loop only.
    nonisolated(unsafe) var count = 0

    init(limit: Int) { self.limit = limit }
}

private final class HealthConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let reports: HealthServer.Reports
    private let open: OpenConnections
    private var head: HTTPRequestHead?

    init(_ reports: HealthServer.Reports, _ open: OpenConnections) {
        self.reports = reports
        self.open = open
    }

    func channelActive(context: ChannelHandlerContext) {
        open.count += 1
        if open.count > open.limit { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { open.count -= 1 }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let (status, text) = Self.answer(request, reports)
        var headers = HTTPHeaders([
            ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "\(text.utf8.count)"),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
        ])
        if status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            let body = context.channel.allocator.buffer(string: text)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let keepsAlive = request.isKeepAlive
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            if !keepsAlive { bound.value.close(promise: nil) }
        }
    }

    private static func answer(
        _ request: HTTPRequestHead, _ reports: HealthServer.Reports
    ) -> (HTTPResponseStatus, String) {
        guard request.method == .GET || request.method == .HEAD else {
            return (.methodNotAllowed, "only GET and HEAD are answered here\n")
        }
        let parts = request.uri.split(separator: "?", maxSplits: 1)
        let isVerbose = parts.count > 1 && parts[1].split(separator: "&").contains("verbose")
        let path = (parts.first ?? "").split(separator: "/").map(String.init)
        guard let endpoint = path.first, path.count <= 2,
            var report = endpoint == "livez"
                ? reports.live() : endpoint == "readyz" ? reports.ready() : nil
        else { return (.notFound, "there are /livez and /readyz\n") }
        if path.count == 2 {
            report.checks = report.checks.filter { $0.name == path[1] }
            if report.checks.isEmpty { return (.notFound, "no check is named \(path[1])\n") }
        }
        return (
            report.isWell ? .ok : .serviceUnavailable,
            report.text(endpoint, isVerbose: isVerbose)
        )
    }
}
