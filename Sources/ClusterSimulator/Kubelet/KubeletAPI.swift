import NIOCore
import NIOHTTP1
import ObjectEncoding

/// What a node's kubelet answers: `/stats/summary`, to whom may get `nodes/stats`.
///
/// The shape is that of the kubelet's stats/v1alpha1 Summary
/// (https://kubernetes.io/docs/reference/instrumentation/node-metrics/).
final class KubeletAPI: RequestResponder {
    /// How much larger what is unpacked is than what a node reports as an image's size.
    static let unpackedPercent = 260
    /// Containers' own files, in bytes.
    static let ownBytes = 350_000_000
    private let node: String
    private let cluster: Cluster
    private let access: AccessControl

    init(_ node: String, _ cluster: Cluster, _ access: AccessControl) {
        self.node = node
        self.cluster = cluster
        self.access = access
    }

    func respond(to request: APIRequest, on eventLoop: any EventLoop) -> APIResponse {
        guard let user = access.user(of: request) else { return Self.text(401, "Unauthorized") }
        guard user.may("get", "nodes/stats") else {
            return Self.text(
                403,
                "Forbidden (user=\(user.name), verb=get, resource=nodes, subresource(s)=[stats])")
        }
        guard request.path == "/stats/summary", request.method == .GET,
            let node = cluster.node(node)
        else { return Self.text(404, "404 page not found\n") }
        return .object(200, summary(node))
    }

    private static func text(_ code: Int, _ text: String) -> APIResponse {
        .whole(code, "text/plain; charset=utf-8", Array(text.utf8))
    }

    private func summary(_ node: SimulatedNode) -> JSONValue {
        let (used, capacity) = cluster.imageFileSystem(of: node)
        let time = Timestamp.text(Clock.seconds())
        let imageFileSystem: JSONValue = [
            "time": .string(time), "availableBytes": .number("\(max(0, capacity - used))"),
            "capacityBytes": .number("\(capacity)"), "usedBytes": .number("\(used)"),
            "inodesFree": .number("24000000"), "inodes": .number("26000000"),
            "inodesUsed": .number("\(used / 40_000)"),
        ]
        var root = imageFileSystem
        root["usedBytes"] = .number("\(min(capacity, used + 2_400_000_000))")
        root["availableBytes"] = .number("\(max(0, capacity - used - 2_400_000_000))")
        return [
            "node": [
                "nodeName": .string(node.name),
                "startTime": .string(Timestamp.text(node.values.created)), "fs": root,
                "runtime": ["imageFs": imageFileSystem, "containerFs": imageFileSystem],
            ], "pods": .array([]),
        ]
    }
}

extension Cluster {
    /// What a node's images and containers take on their filesystem, and how large that is, in bytes:
    /// all images, those beyond the cap too, unpacked.
    package func imageFileSystem(of node: SimulatedNode) -> (used: Int, capacity: Int) {
        let catalog = catalog.all
        let listed = (node.values.images ?? []).reduce(0) { $0 + catalog[$1].sizeBytes }
        let text = profile(of: node).resources.first { $0.0 == "ephemeral-storage" }?.1 ?? "0"
        let capacity = ControlCommand.bytes(text) ?? 0
        let used = listed / 100 * KubeletAPI.unpackedPercent + KubeletAPI.ownBytes
        return (min(used, capacity), capacity)
    }
}
