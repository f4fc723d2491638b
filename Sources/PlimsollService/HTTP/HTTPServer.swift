import NIOCore
import NIOHTTP1
import NIOPosix

/// Serves some routes over HTTP/1.1, for probes, scrapers and people.
///
/// It takes GET and HEAD only, a few connections at a time, none that stays silent, and none that takes long
/// to say what it wants.
public final class HTTPServer: Sendable {
    /// It cannot listen there.
    public struct CannotListen: Error, CustomStringConvertible {
        /// One line: where, and why not.
        public var description: String
    }

    /// Who is silent for so long is hung up on.
    private static let patience = TimeAmount.seconds(10)
    /// A pod has a few probes and scrapers, and perhaps a few people.
    private static let maxConnections = 64

    /// The port it listens on.
    public let port: Int
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup

    /// Starts to listen.
    ///
    /// - Throws: ``CannotListen``.
    public init(
        _ address: ListenAddress, _ routes: HTTPRoutes, _ protection: HTTPProtection = .none
    ) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let open = OpenConnections(limit: Self.maxConnections)
        do {
            channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(allTimeout: Self.patience))
                        try protection.protect(pipeline)
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(HTTPConnection(routes, protection, open))
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
final class OpenConnections: Sendable {
    let limit: Int
    // SAFETY: used on the server's one event loop only.
    nonisolated(unsafe) var count = 0

    init(limit: Int) { self.limit = limit }
}
