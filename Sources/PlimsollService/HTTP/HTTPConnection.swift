import NIOCore
import NIOHTTP1

/// One connection of an ``HTTPServer``.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request must have come whole within this time of its connection, or of the answer before it.
    private static let requestPatience = TimeAmount.seconds(10)
    /// Nobody here has a use for more.
    private static let maxBodyBytes = 64 << 10
    /// Who listens to events that are rare is told that somebody is there.
    private static let heartbeat = TimeAmount.seconds(5)

    private let routes: HTTPRoutes
    private let protection: HTTPProtection
    private let open: OpenConnections
    private var head: HTTPRequestHead?
    private var bodyBytes = 0
    private var deadline: Scheduled<Void>?
    /// What goes on beyond one turn of the loop: an answer that is made, or events.
    private var working: Task<Void, Never>?

    init(_ routes: HTTPRoutes, _ protection: HTTPProtection, _ open: OpenConnections) {
        self.routes = routes
        self.protection = protection
        self.open = open
    }

    // MARK: Connection

    func channelActive(context: ChannelHandlerContext) {
        open.count += 1
        if open.count > open.limit { context.close(promise: nil) } else { expectRequest(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        open.count -= 1
        deadline?.cancel()
        working?.cancel()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Who sends a byte now and then is not idle, and yet no client.
    private func expectRequest(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        deadline?.cancel()
        deadline = context.eventLoop.scheduleTask(in: Self.requestPatience) {
            bound.value.close(promise: nil)
        }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            bodyBytes = 0
        case .body(let bytes):
            bodyBytes += bytes.readableBytes
            if bodyBytes > Self.maxBodyBytes { context.close(promise: nil) }
        case .end:
            guard let head, working == nil else { return }
            self.head = nil
            deadline?.cancel()
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard head.method == .GET || head.method == .HEAD else {
            var refusal = HTTPAnswer(405, "only GET and HEAD are answered here\n")
            refusal.headers = [("Allow", "GET, HEAD")]
            write(refusal, head, context)
            return
        }
        let accept = head.headers[canonicalForm: "accept"].joined(separator: ",")
        var request = HTTPRequest(head.uri, accept: accept)
        request.authorization = head.headers.first(name: "authorization") ?? ""
        guard protection.admits(request) else {
            var refusal = HTTPAnswer(401, "a token is needed here: Authorization: Bearer TOKEN\n")
            refusal.headers = [
                ("WWW-Authenticate", "Bearer"),
                // A browser asks for a name and a password: the name is any, the password the token.
                ("WWW-Authenticate", "Basic realm=\"plimsoll: the token is the password\""),
            ]
            write(refusal, head, context)
            return
        }
        write(routes.answer(request), head, context)
    }

    private func write(
        _ answer: HTTPAnswer, _ request: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        if case .later(let make) = answer.body {
            working = Self.making(
                make, NIOLoopBound((self, request, context), eventLoop: context.eventLoop))
            return
        }
        var headers = HTTPHeaders([
            ("Content-Type", answer.contentType), ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ])
        for (name, value) in answer.headers { headers.add(name: name, value: value) }
        if case .bytes(let bytes) = answer.body {
            headers.add(name: "Content-Length", value: "\(bytes.count)")
        }
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        switch answer.body {
        case .events(let stream) where request.method != .HEAD:
            context.flush()
            follow(stream, context)
        case .bytes(let bytes) where request.method != .HEAD:
            let body = context.channel.allocator.buffer(bytes: bytes)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            end(request, context)
        case .bytes, .events, .later: end(request, context)
        }
    }

    private func end(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let keepsAlive = request.isKeepAlive
        if keepsAlive { expectRequest(context) }
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            if !keepsAlive { bound.value.close(promise: nil) }
        }
    }

    /// Makes an answer and writes it. What is asked meanwhile on this connection is not answered.
    private static func making(
        _ make: @escaping @Sendable () async -> HTTPAnswer,
        _ connection: NIOLoopBound<(HTTPConnection, HTTPRequestHead, ChannelHandlerContext)>
    ) -> Task<Void, Never> {
        Task {
            let answer = await make()
            connection.eventLoop.execute {
                let (handler, request, context) = connection.value
                handler.working = nil
                if case .later = answer.body { return }
                if context.channel.isActive { handler.write(answer, request, context) }
            }
        }
    }

    // MARK: Events

    private func follow(_ stream: AsyncStream<String>, _ context: ChannelHandlerContext) {
        let channel = context.channel
        context.eventLoop.scheduleRepeatedTask(
            initialDelay: Self.heartbeat, delay: Self.heartbeat
        ) { task in
            if channel.isActive { Self.send(": here\n\n", to: channel) } else { task.cancel() }
        }
        working = Self.sending(stream, to: channel)
    }

    private static func sending(
        _ stream: AsyncStream<String>, to channel: any Channel
    ) -> Task<Void, Never> {
        Task { await send(stream, to: channel) }
    }

    private static func send(_ stream: AsyncStream<String>, to channel: any Channel) async {
        for await event in stream {
            if Task.isCancelled { return }
            // Who does not read is hung up on by its silence; until then nothing piles up.
            if channel.isWritable { send(event, to: channel) }
        }
        channel.close(promise: nil)
    }

    private static func send(_ text: String, to channel: any Channel) {
        let body = channel.allocator.buffer(string: text)
        channel.writeAndFlush(
            HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
    }
}
