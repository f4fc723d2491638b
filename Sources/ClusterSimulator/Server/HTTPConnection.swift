import NIOCore
import NIOHTTP1
import NIOSSL
import ObjectEncoding

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One client's connection, or a stream of it in HTTP/2: collects a request, asks for the answer,
/// and sends it as fast as the client reads.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let maxBodyBytes = 4 << 20
    private static let maxSizedBodyBytes = 2048
    /// Which flow and priority level a request belongs to: always the same here.
    private static let flowHeaders = [
        ("X-Kubernetes-Pf-Flowschema-Uid", "6f1d7b52-0c9e-4d37-8a8e-31d6f0b1c7a4"),
        ("X-Kubernetes-Pf-Prioritylevel-Uid", "b0a3e6d9-52f4-4c1b-9e70-7c4d2f8a6e15"),
    ]
    /// Written between two looks at whether the client keeps up.
    private static let burstBytes = 64 << 10

    private let api: any RequestResponder
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var producer: (any BodyProducer)?
    private var isPumping = false
    private var keepsAlive = true

    /// Of a streamed body; nil: as fast as the client reads.
    private let bytesPerSecond: Int?
    /// When the body has been paid for so far.
    private var paidUntil = NIODeadline.now()
    private var isPaused = false

    init(_ api: any RequestResponder, bytesPerSecond: Int?) {
        self.api = api
        self.bytesPerSecond = bytesPerSecond
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(var buffer):
            guard body.count + buffer.readableBytes <= Self.maxBodyBytes else {
                context.close(promise: nil)
                return
            }
            body += buffer.readBytes(length: buffer.readableBytes) ?? []
        case .end:
            if let head { respond(to: head, context) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finishProducer()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finishProducer()
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pump(context) }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Answers

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        keepsAlive = isMultiplexed(context) || head.isKeepAlive
        let (path, query) = RequestTarget.split(head.uri)
        let authorization = head.headers.first(name: "Authorization") ?? ""
        let request = APIRequest(
            method: head.method, path: path, query: query,
            accept: head.headers["Accept"].joined(separator: ","),
            contentType: head.headers.first(name: "Content-Type") ?? "",
            userAgent: head.headers.first(name: "User-Agent") ?? "",
            bearerToken: authorization.hasPrefix("Bearer ")
                ? String(authorization.dropFirst(7)) : nil,
            certificateUser: certificateUser(context),
            impersonatedUser: head.headers.first(name: "Impersonate-User"), body: body)
        switch api.respond(to: request, on: context.eventLoop) {
        case .whole(let status, let contentType, let bytes, let extra):
            sendWhole(status, contentType, bytes, extra, context)
        case .stream(let producer): stream(producer, context)
        case .hang: break
        case .close: closeConnection(context)
        }
    }

    // MARK: Connections

    private func isMultiplexed(_ context: ChannelHandlerContext) -> Bool {
        // A stream's parent is its connection, a connection's the listener.
        context.channel.parent?.parent != nil
    }

    /// The connection, be it this channel or that of this stream.
    private func connection(_ context: ChannelHandlerContext) -> any Channel {
        let channel = context.channel
        return isMultiplexed(context) ? channel.parent ?? channel : channel
    }

    /// Closes it with all its streams.
    private func closeConnection(_ context: ChannelHandlerContext) {
        connection(context).close(promise: nil)
    }

    /// Closes it after what has been written: a stream of HTTP/2 hands that to its connection first.
    private func cut(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let nothing = wrapOutboundOut(.body(.byteBuffer(ByteBuffer())))
        context.writeAndFlush(nothing).assumeIsolated().whenComplete { _ in
            let (connection, context) = bound.value
            connection.closeConnection(context)
        }
    }

    /// Closes it without a word to anybody: what is on its way is lost.
    private func resetConnection(_ context: ChannelHandlerContext) {
        let connection = connection(context)
        guard let socket = connection as? any SocketOptionProvider else { return }
        let atOnce = linger(l_onoff: 1, l_linger: 0)
        let bound = NIOLoopBound(connection, eventLoop: context.eventLoop)
        socket.setSoLinger(atOnce).whenComplete { _ in
            let pipeline = bound.value.pipeline.syncOperations
            // Below TLS, which would take its leave.
            let tls = try? pipeline.context(handlerType: NIOSSLServerHandler.self)
            tls?.close(promise: nil)
        }
    }

    // MARK: Bodies

    private func sendHead(
        _ status: Int, _ contentType: String, _ extra: [(String, String)],
        _ context: ChannelHandlerContext
    ) {
        var headers = HTTPHeaders(extra)
        var random = SeededRandom(seed: .random(in: 0 ... .max))
        headers.add(name: "Audit-Id", value: random.uuid())
        headers.add(name: "Cache-Control", value: "no-cache, private")
        if status != 401 { headers.add(contentsOf: HTTPHeaders(Self.flowHeaders)) }
        headers.add(name: "Content-Type", value: contentType)
        headers.add(name: "Date", value: HTTPDate.now())
        if !keepsAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func sendWhole(
        _ status: Int, _ contentType: String, _ bytes: [UInt8], _ extra: [(String, String)],
        _ context: ChannelHandlerContext
    ) {
        // As Go's server: what does not fit its buffer goes in chunks.
        let length =
            bytes.count <= Self.maxSizedBodyBytes ? [("Content-Length", "\(bytes.count)")] : []
        sendHead(status, contentType, extra + length, context)
        context.write(
            wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: bytes)))),
            promise: nil)
        end(context)
    }

    private func end(_ context: ChannelHandlerContext) {
        head = nil
        let channel = NIOLoopBound(context, eventLoop: context.eventLoop)
        let keepsAlive = keepsAlive
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            if !keepsAlive { channel.value.close(promise: nil) }
        }
    }

    private func stream(_ producer: any BodyProducer, _ context: ChannelHandlerContext) {
        self.producer = producer
        sendHead(200, producer.contentType, [], context)
        context.flush()
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        producer.start {
            loop.execute {
                let (connection, context) = bound.value
                connection.pump(context)
            }
        }
        pump(context)
    }

    /// Writes while the client keeps up. Writing can call back into here: once is enough.
    private func pump(_ context: ChannelHandlerContext) {
        guard !isPumping, !isPaused else { return }
        isPumping = true
        defer { isPumping = false }
        while let producer, context.channel.isWritable {
            var written = 0
            if pauses(context) { return }
            while written < (bytesPerSecond == nil ? Self.burstBytes : 1) {
                switch producer.next() {
                case .bytes(let bytes):
                    written += bytes.count
                    let buffer = context.channel.allocator.buffer(bytes: bytes)
                    context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
                case .wait:
                    context.flush()
                    return
                case .end:
                    finishProducer()
                    end(context)
                    return
                case .cut:
                    finishProducer()
                    cut(context)
                    return
                case .reset:
                    finishProducer()
                    context.flush()
                    resetConnection(context)
                    return
                }
            }
            context.flush()
            pay(written)
        }
    }

    /// Keeps to the rate: whether it is too early for more. Then it goes on by itself.
    private func pauses(_ context: ChannelHandlerContext) -> Bool {
        let now = NIODeadline.now()
        guard bytesPerSecond != nil, paidUntil > now else {
            // What was not used is lost.
            paidUntil = max(paidUntil, now)
            return false
        }
        isPaused = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(deadline: paidUntil) {
            let (connection, context) = bound.value
            connection.isPaused = false
            connection.pump(context)
        }
        return true
    }

    private func pay(_ bytes: Int) {
        guard let bytesPerSecond else { return }
        paidUntil = paidUntil + .nanoseconds(Int64(bytes) * 1_000_000_000 / Int64(bytesPerSecond))
    }

    private func finishProducer() {
        producer?.stop()
        producer = nil
    }

    // MARK: Requests

    private func certificateUser(_ context: ChannelHandlerContext) -> String? {
        guard
            let handler = try? connection(context).pipeline.syncOperations.handler(
                type: NIOSSLServerHandler.self),
            let certificate = handler.peerCertificate
        else { return nil }
        return certificate.commonNameText
    }
}

extension NIOSSLCertificate {
    /// The subject's common name, found in the certificate's bytes: the value after the attribute
    /// 2.5.4.3, of which the second is the subject's.
    var commonNameText: String? {
        guard let der = try? toDERBytes() else { return nil }
        let attribute: [UInt8] = [0x06, 0x03, 0x55, 0x04, 0x03]
        var names: [String] = []
        var at = 0
        while at + attribute.count + 2 <= der.count {
            if Array(der[at..<at + attribute.count]) == attribute {
                let length = Int(der[at + attribute.count + 1])
                let start = at + attribute.count + 2
                if start + length <= der.count {
                    names.append(String(decoding: der[start..<start + length], as: UTF8.self))
                }
            }
            at += 1
        }
        return names.count >= 2 ? names[1] : nil
    }
}

/// The Date header.
enum HTTPDate {
    static func now() -> String {
        let seconds = Clock.seconds()
        // "2026-11-01T08:00:00Z"
        let text = Timestamp.text(seconds)
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let month = Int(text.dropFirst(5).prefix(2)) ?? 1
        return "\(days[seconds / 86400 % 7]), \(text.dropFirst(8).prefix(2)) \(months[month - 1]) "
            + "\(text.prefix(4)) \(text.dropFirst(11).prefix(8)) GMT"
    }
}
