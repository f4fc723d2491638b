import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The kubelets of a simulated cluster's nodes, each on a port of its own, over TLS.
final class SimulatedKubelets: Sendable {
    private let listeners: [any Channel]

    /// Starts a kubelet for every node there is, and lets the nodes say where it is.
    init(
        _ cluster: Cluster, _ access: AccessControl, _ context: NIOSSLContext,
        on group: MultiThreadedEventLoopGroup
    ) async throws {
        var listeners: [any Channel] = []
        for node in cluster.snapshot().nodes {
            let api = KubeletAPI(node.name, cluster, access)
            let listener = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(NIOSSLServerHandler(context: context))
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(HTTPConnection(api, bytesPerSecond: nil))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            listeners.append(listener)
            cluster.setKubeletPort(node.name, listener.localAddress?.port ?? 0)
        }
        self.listeners = listeners
    }

    func stop() async throws {
        for listener in listeners { try await listener.close() }
    }
}
