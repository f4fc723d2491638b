import Histories
import NIOCore
import NIOPosix

/// A path between client and server that breaks in every way: a relay of bytes on this machine.
final class Relay: Sendable {
    /// Where it listens.
    let port: Int
    private let line: Line
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel

    /// - Parameter target: The server's port on 127.0.0.1.
    init(to target: Int) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let line = Line(group.next())
        self.line = line
        listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { client in line.accept(client, target) }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    func close() async throws {
        try await listener.close()
        try await group.shutdownGracefully()
    }

    func refuse(for time: Duration) {
        line.change {
            $0.downUntil = .now() + TimeAmount(time)
            $0.cutAll()
        }
    }

    func stall(for time: Duration) { line.change { $0.stallUntil(.now() + TimeAmount(time)) } }

    /// Cuts every connection after so many more bytes to the client.
    func cut(after bytes: Int) {
        line.change { line in
            if bytes == 0 { line.cutAll() } else { line.cutAfter = bytes }
        }
    }

    /// So many bytes to the client go a few at a time.
    func crumble(_ bytes: Int) { line.change { $0.crumbs = bytes } }

    /// Nothing comes through any more to those who are connected, and nobody is told.
    func swallow() { line.change { line in line.bridges.values.forEach { $0.isDead = true } } }

    /// All is well from now on.
    func heal() {
        line.change { line in
            line.downUntil = .now()
            line.cutAfter = nil
            line.crumbs = 0
            line.stallUntil(.now())
        }
    }
}

/// What the connections share. Used on one event loop.
private final class Line: Sendable {
    let eventLoop: any EventLoop
    // SAFETY: used on the event loop only.
    nonisolated(unsafe) var downUntil = NIODeadline.now()
    nonisolated(unsafe) var cutAfter: Int?
    nonisolated(unsafe) var crumbs = 0
    nonisolated(unsafe) var bridges: [ObjectIdentifier: Bridge] = [:]
    nonisolated(unsafe) private var stalledUntil = NIODeadline.now()

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func change(_ body: @escaping @Sendable (Line) -> Void) {
        eventLoop.execute { body(self) }
    }

    func cutAll() {
        cutAfter = nil
        bridges.values.forEach { $0.cut() }
    }

    var isStalled: Bool { stalledUntil > .now() }

    func stallUntil(_ time: NIODeadline) {
        stalledUntil = time
        eventLoop.scheduleTask(deadline: time) {
            if !self.isStalled { self.bridges.values.forEach { $0.release() } }
        }
    }

    func accept(_ client: any Channel, _ target: Int) -> EventLoopFuture<Void> {
        guard downUntil <= .now() else { return client.close() }
        return ClientBootstrap(group: eventLoop)
            .connect(host: "127.0.0.1", port: target)
            .flatMap { server in
                let bridge = Bridge(self, client, server)
                self.bridges[ObjectIdentifier(bridge)] = bridge
                return client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(BridgeEnd(bridge, bridge.up))
                    try server.pipeline.syncOperations.addHandler(BridgeEnd(bridge, bridge.down))
                }
            }
    }
}

/// One connection. Used on one event loop.
private final class Bridge: Sendable {
    private let line: Line
    private let client: any Channel
    private let server: any Channel
    // SAFETY: used on the event loop only.
    nonisolated(unsafe) var isDead = false
    nonisolated(unsafe) private var held: [ByteBuffer] = []

    init(_ line: Line, _ client: any Channel, _ server: any Channel) {
        self.line = line
        self.client = client
        self.server = server
    }

    func cut() {
        line.bridges[ObjectIdentifier(self)] = nil
        client.close(promise: nil)
        server.close(promise: nil)
    }

    func up(_ bytes: ByteBuffer) { if !isDead { server.writeAndFlush(bytes, promise: nil) } }

    func down(_ bytes: ByteBuffer) {
        if isDead { return }
        if line.isStalled {
            held.append(bytes)
            return
        }
        send(bytes)
    }

    /// What was held goes on.
    func release() {
        let waiting = held
        held = []
        waiting.forEach { down($0) }
    }

    private func send(_ bytes: ByteBuffer) {
        var bytes = bytes
        if let left = line.cutAfter {
            line.cutAfter = left - bytes.readableBytes
            if left <= bytes.readableBytes {
                if let part = bytes.readSlice(length: max(0, left)) {
                    client.writeAndFlush(part, promise: nil)
                }
                line.cutAll()
                return
            }
        }
        while line.crumbs > 0, let crumb = bytes.readSlice(length: min(5, bytes.readableBytes)),
            crumb.readableBytes > 0
        {
            line.crumbs -= crumb.readableBytes
            client.writeAndFlush(crumb, promise: nil)
        }
        if bytes.readableBytes > 0 { client.writeAndFlush(bytes, promise: nil) }
    }
}

/// One end of a connection: what it reads goes on to the other.
private final class BridgeEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let bridge: Bridge
    private let forward: (ByteBuffer) -> Void

    init(_ bridge: Bridge, _ forward: @escaping (ByteBuffer) -> Void) {
        self.bridge = bridge
        self.forward = forward
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        forward(unwrapInboundIn(data))
    }
    func channelInactive(context: ChannelHandlerContext) { bridge.cut() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { bridge.cut() }
}
