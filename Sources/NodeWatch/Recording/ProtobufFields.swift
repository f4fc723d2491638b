/// The fields of messages by number, with the names they have in JSON.
///
/// From the published `generated.proto` files of k8s.io/api/core/v1 and k8s.io/apimachinery (meta/v1, runtime,
/// api/resource).
struct ProtobufFields: Sendable {
    indirect enum Form: Sendable {
        case text
        case message(ProtobufFields)
        /// Entries of key and value.
        case map(Form)
        /// An object in an envelope of its own.
        case enveloped
    }

    private let fields: [UInt64: (name: [UInt8], form: Form)]

    private init(_ fields: (UInt64, String, Form)...) {
        self.fields = Dictionary(
            uniqueKeysWithValues: fields.map { ($0.0, (Array($0.1.utf8), $0.2)) })
    }

    subscript(number: UInt64) -> (name: [UInt8], form: Form)? { fields[number] }

    /// By kind; nil for what is not sent of nodes.
    static func of(kind: [UInt8]) -> ProtobufFields? {
        switch String(decoding: kind, as: UTF8.self) {
        case "Node": node
        case "NodeList": nodeList
        case "Status": status
        default: nil
        }
    }

    static let watchEvent = ProtobufFields(
        (1, "type", .text), (2, "object", .message(ProtobufFields((1, "object", .enveloped)))))
    /// runtime.TypeMeta
    static let typeMeta = ProtobufFields((1, "apiVersion", .text), (2, "kind", .text))

    /// Of times and others that hold numbers alone.
    private static let numbers = ProtobufFields()
    private static let quantity = ProtobufFields((1, "", .text))

    private static let listMeta = ProtobufFields(
        (1, "selfLink", .text), (2, "resourceVersion", .text), (3, "continue", .text))
    private static let objectMeta = ProtobufFields(
        (1, "name", .text), (2, "generateName", .text), (3, "namespace", .text),
        (4, "selfLink", .text), (5, "uid", .text), (6, "resourceVersion", .text),
        (8, "creationTimestamp", .message(numbers)), (9, "deletionTimestamp", .message(numbers)),
        (11, "labels", .map(.text)), (12, "annotations", .map(.text)),
        (
            13, "ownerReferences",
            .message(
                ProtobufFields(
                    (1, "kind", .text), (3, "name", .text), (4, "uid", .text),
                    (5, "apiVersion", .text)))
        ), (14, "finalizers", .text),
        (
            17, "managedFields",
            .message(
                ProtobufFields(
                    (1, "manager", .text), (2, "operation", .text), (3, "apiVersion", .text),
                    (4, "time", .message(numbers)), (6, "fieldsType", .text),
                    (7, "fieldsV1", .message(ProtobufFields((1, "", .text)))),
                    (8, "subresource", .text)))
        ))
    private static let spec = ProtobufFields(
        (1, "podCIDR", .text), (2, "externalID", .text), (3, "providerID", .text),
        (
            5, "taints",
            .message(
                ProtobufFields(
                    (1, "key", .text), (2, "value", .text), (3, "effect", .text),
                    (4, "timeAdded", .message(numbers))))
        ), (7, "podCIDRs", .text))
    private static let condition = ProtobufFields(
        (1, "type", .text), (2, "status", .text), (3, "lastHeartbeatTime", .message(numbers)),
        (4, "lastTransitionTime", .message(numbers)), (5, "reason", .text), (6, "message", .text))
    private static let nodeInfo = ProtobufFields(
        (1, "machineID", .text), (2, "systemUUID", .text), (3, "bootID", .text),
        (4, "kernelVersion", .text), (5, "osImage", .text), (6, "containerRuntimeVersion", .text),
        (7, "kubeletVersion", .text), (8, "kubeProxyVersion", .text),
        (9, "operatingSystem", .text), (10, "architecture", .text), (11, "swap", .message(numbers)))
    private static let nodeStatus = ProtobufFields(
        (1, "capacity", .map(.message(quantity))), (2, "allocatable", .map(.message(quantity))),
        (3, "phase", .text), (4, "conditions", .message(condition)),
        (5, "addresses", .message(ProtobufFields((1, "type", .text), (2, "address", .text)))),
        (6, "daemonEndpoints", .message(ProtobufFields((1, "kubeletEndpoint", .message(numbers))))),
        (7, "nodeInfo", .message(nodeInfo)),
        (8, "images", .message(ProtobufFields((1, "names", .text)))), (9, "volumesInUse", .text),
        (
            10, "volumesAttached",
            .message(ProtobufFields((1, "name", .text), (2, "devicePath", .text)))
        ),
        (
            12, "runtimeHandlers",
            .message(ProtobufFields((1, "name", .text), (2, "features", .message(numbers))))
        ), (13, "features", .message(numbers)))
    private static let node = ProtobufFields(
        (1, "metadata", .message(objectMeta)), (2, "spec", .message(spec)),
        (3, "status", .message(nodeStatus)))
    private static let nodeList = ProtobufFields(
        (1, "metadata", .message(listMeta)), (2, "items", .message(node)))
    private static let status = ProtobufFields(
        (1, "metadata", .message(listMeta)), (2, "status", .text), (3, "message", .text),
        (4, "reason", .text),
        (
            5, "details",
            .message(
                ProtobufFields(
                    (1, "name", .text), (2, "group", .text), (3, "kind", .text),
                    (
                        4, "causes",
                        .message(
                            ProtobufFields(
                                (1, "reason", .text), (2, "message", .text), (3, "field", .text)))
                    ), (6, "uid", .text)))
        ))
}
