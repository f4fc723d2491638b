import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL

/// A simulated kube-apiserver on a TLS socket of this machine.
public final class SimulatorServer: Sendable {
    /// How it serves.
    public struct Options: Sendable {
        /// Port on 127.0.0.1; 0: any free one.
        public var port = 0
        /// The token of a user who may do everything.
        public var token: String
        /// The token of a user who may do nothing.
        public var viewerToken: String
        /// The token of a user who may get, list and watch nodes, and nothing else.
        public var readerToken: String
        /// The common name of the user whose client certificate may do everything.
        public var adminUser = "simulated-admin"
        /// Whether watches may ask for initial events.
        public var hasStreamingLists = true
        /// Time between two bookmarks.
        public var bookmarkInterval = Duration.seconds(60)
        /// Bytes a second of a list or watch, sent node by node as a real API server does; nil: as fast
        /// as the client reads, many at once.
        public var bytesPerSecond: Int?
        /// What becomes of requests for a shard.
        public var shardSelection = ShardSelection.serve

        /// Whether nodes have kubelets that answer `/stats/summary`: those that are there at the start.
        public var hasKubelets = false

        /// What a server makes of `shardSelector`.
        public enum ShardSelection: String, CaseIterable, Sendable {
            /// Sends that shard.
            case serve
            /// Sends everything, as servers do that do not know of shards.
            case ignore
            case refuse
        }

        /// The defaults, with random tokens.
        public init() {
            var random = SystemRandomNumberGenerator()
            func secret() -> String {
                "sim-" + String(random.next(), radix: 16) + String(random.next(), radix: 16)
            }
            token = secret()
            viewerToken = secret()
            readerToken = secret()
        }
    }

    /// The nodes behind it.
    public let cluster: Cluster
    /// Everything but nodes.
    let objects = ObjectStore()
    /// What is to go wrong.
    public let faults: Faults
    /// How it serves.
    public let options: Options
    /// Signs the server's certificate and the users'.
    public let authority: CertificateAuthority
    /// The port it listens on.
    public let port: Int

    private let connections = MultiplexedConnections()
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let kubelets: SimulatedKubelets?

    /// Starts serving.
    public init(_ cluster: Cluster, _ options: Options = Options()) async throws {
        self.cluster = cluster
        self.options = options
        let faults = Faults()
        self.faults = faults
        authority = try CertificateAuthority()
        let identity = try authority.server()
        let roots = try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8))
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8))
                .map { .certificate($0) },
            privateKey: .privateKey(
                try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem)))
        tls.trustRoots = .certificates(roots)
        tls.certificateVerification = .optionalVerification
        let kubeletContext = try NIOSSLContext(configuration: tls)
        tls.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        let sslContext = try NIOSSLContext(configuration: tls)
        let api = APIServer(cluster, objects, options, faults)
        let connections = connections
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        kubelets =
            options.hasKubelets
            ? try await SimulatedKubelets(cluster, api.access, kubeletContext, on: group) : nil
        listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLServerHandler(context: sslContext))
                }.flatMap {
                    channel.configureCommonHTTPServerPipeline(
                        h2ConnectionChannelConfigurator: connections.add
                    ) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(
                                HTTPConnection(api, bytesPerSecond: options.bytesPerSecond))
                        }
                    }
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark, value: .init(low: 128 << 10, high: 512 << 10)
            )
            .bind(host: "127.0.0.1", port: options.port).get()
        port = listener.localAddress?.port ?? 0
    }

    /// "https://127.0.0.1:PORT".
    public var url: String { "https://127.0.0.1:\(port)" }

    /// A kubeconfig for a user by token, or by a client certificate.
    public func kubeconfig(token: String? = nil, user: Identity? = nil) -> String {
        Kubeconfig.text(
            server: url, authority: authority.certificate,
            token: user == nil
                ? token ?? options.token : token, user: user)
    }

    /// Tells every HTTP/2 connection that it will not take another request: what is under way goes on.
    public func goAway() { connections.goAway() }

    /// Stops serving and closes all connections.
    public func stop() async throws {
        try await listener.close()
        try await kubelets?.stop()
        try await group.shutdownGracefully()
    }
}
