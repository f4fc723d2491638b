import FoundationEssentials
import NodeWatch

/// What an engine remembers beyond its process, as texts by key. Keys begin with their kind.
enum EngineMemory {
    /// Of a node: the set of images that was told or held last.
    static func setKey(_ node: String) -> String { "set\u{1f}\(node)" }

    /// Of a rule and a node: what lasts there.
    static func activationKey(_ rule: String, _ node: String) -> String {
        "active\u{1f}\(rule)\u{1f}\(node)"
    }

    /// Of a rule and a node: what changed there lately.
    static func windowKey(_ rule: String, _ node: String) -> String {
        "window\u{1f}\(rule)\u{1f}\(node)"
    }

    static func parts(_ key: String) -> [String] {
        key.split(separator: "\u{1f}", omittingEmptySubsequences: false).map(String.init)
    }

    static func text(_ value: some Encodable) -> String? {
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) }
    }

    static func value<Value: Decodable>(_ text: String) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }
}

/// A node's set of images, with what else tells changes from each other.
struct KeptSet: Codable {
    private struct Image: Codable {
        var names: [String]
        var sizeBytes: Int
    }

    private var uid: String
    private var resourceVersion: String
    private var bootID: String?
    private var pool: String?
    private var runtime: String?
    private var capacityBytes: Int?
    private var images: [Image]

    init(_ node: NodeSummary) {
        uid = node.uid
        resourceVersion = node.resourceVersion
        bootID = node.bootID
        pool = node.pool
        runtime = node.containerRuntimeVersion
        capacityBytes = node.capacityBytes
        images = node.images.map { Image(names: $0.names, sizeBytes: $0.sizeBytes) }
    }

    func node(_ name: String) -> NodeSummary {
        var contents = NodeSummary.Contents(
            name: name, uid: uid, resourceVersion: resourceVersion,
            images: images.map { ContainerImage(names: $0.names, sizeBytes: $0.sizeBytes) })
        contents.bootID = bootID
        contents.pool = pool
        contents.containerRuntimeVersion = runtime
        contents.capacityBytes = capacityBytes
        return NodeSummary(contents)
    }
}

/// What lasts, and whose it is.
struct KeptActivation: Codable {
    var activation: Activation
    /// Of the node, for its end where the node is gone.
    var uid: String
}
