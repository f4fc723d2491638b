import Synchronization

/// Asks the kubelets of a cluster's nodes, with our credentials. Thread-safe.
///
/// It needs `get` on `nodes/stats`, and `list` on `nodes` to find out where a kubelet is. Whoever holds
/// a node's address gets to see our token, as with every client of kubelets: grant it no more than it
/// needs, and let certificates be checked.
public final class KubeletClient: Sendable {
    /// How kubelets show that they are who they should be.
    public struct Trust: Sendable, Hashable {
        /// A file with the authority that signed the kubelets' certificates; nil: the cluster's.
        public var certificateAuthority: String?
        /// Accept any certificate, as kubelets have that sign their own.
        public var skipsVerification = false

        /// The cluster's authority.
        public init() {}
    }

    private struct Address: Hashable {
        var host: String
        var port: Int
    }

    /// A kubelet answers at once or not at all.
    private static let timeout = Duration.seconds(10)

    private let client: KubeClient
    private let trust: Trust
    /// Of nodes that were asked.
    private let addresses = Locked<[String: Address]>([:])

    /// Makes a client. Nothing is connected yet.
    public init(_ client: KubeClient, trust: Trust = Trust()) {
        self.client = client
        self.trust = trust
    }

    /// The filesystem that a node's images are on, as its kubelet says now.
    ///
    /// - Throws: As a request of ``KubeClient``, of the server's or the kubelet's; `malformed`.
    public func imageFileSystem(of node: String) async throws(KubeError) -> ImageFileSystem {
        let known = addresses.withLock { $0[node] }
        let address = if let known { known } else { try await self.address(of: node) }
        do throws(KubeError) {
            let kubelet = client.kubelet(
                at: "https://\(address.host):\(address.port)", trust, timeout: Self.timeout)
            let body = try await kubelet.sender.send(
                KubeRequest(
                    target: "/stats/summary", purpose: "ask the kubelet of node \(node)",
                    permission: "verb get on nodes/stats"), with: kubelet)
            let reading = try ImageFileSystem(
                summary: try JSONValue(parsing: body), of: node)
            addresses.withLock { $0[node] = address }
            return reading
        } catch {
            // The next time it may be another machine.
            addresses.withLock { $0[node] = nil }
            if error.code == .refused || error.code == .cancelled { throw error }
            var named = error
            named.message = "cannot ask the kubelet of node \(node): \(error.message)"
            throw named
        }
    }

    /// The same, or why not.
    public func reading(of node: String) async -> Result<ImageFileSystem, KubeError> {
        do throws(KubeError) {
            return .success(try await imageFileSystem(of: node))
        } catch {
            return .failure(error)
        }
    }

    private func address(of node: String) async throws(KubeError) -> Address {
        var options = ResourceClient.ListOptions()
        options.fieldSelector = "metadata.name=\(node)"
        let nodes = try await client.resources(.nodes).list(options).items
        guard let status = nodes.first?.json["status"] else {
            throw KubeError(.malformed, "there is no node \(node)")
        }
        var hosts: [String: String] = [:]
        for entry in status["addresses"]?.array ?? [] {
            guard let type = entry["type"]?.string, let host = entry["address"]?.string else {
                continue
            }
            hosts[type] = hosts[type] ?? host
        }
        // Addresses before names, which are often names for nobody.
        let order = ["InternalIP", "InternalDNS", "Hostname", "ExternalIP", "ExternalDNS"]
        guard let host = order.lazy.compactMap({ hosts[$0] }).first else {
            throw KubeError(.malformed, "node \(node) has no address")
        }
        let port = status["daemonEndpoints", "kubeletEndpoint", "Port"]?.int ?? 10250
        return Address(host: host.contains(":") ? "[\(host)]" : host, port: port)
    }
}
