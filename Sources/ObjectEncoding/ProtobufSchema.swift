/// How the objects of the API are written in protobuf: which field has which number and form.
///
/// From the published `generated.proto` files of k8s.io/api/core/v1 and k8s.io/apimachinery
/// (meta/v1, runtime, api/resource); what is written although it is empty follows Go's types: values
/// always are, pointers only when they are set.
package struct ProtobufSchema: Sendable {
    indirect enum Form: Sendable {
        case string
        case number
        case bool
        case time
        /// resource.Quantity
        case quantity
        /// FieldsV1: JSON as it is.
        case rawJSON
        case message(ProtobufSchema)
        case list(Form)
        /// Sorted by key.
        case map(Form)
    }

    struct Field: Sendable {
        var name: String
        var number: Int
        var form: Form
        /// Left out when the object does not have it.
        var isPointer: Bool
    }

    var fields: [Field]

    fileprivate init(_ fields: Field...) { self.fields = fields }
}

private func value(_ number: Int, _ name: String, _ form: ProtobufSchema.Form = .string)
    -> ProtobufSchema.Field
{
    .init(name: name, number: number, form: form, isPointer: false)
}

private func pointer(_ number: Int, _ name: String, _ form: ProtobufSchema.Form)
    -> ProtobufSchema.Field
{
    .init(name: name, number: number, form: form, isPointer: true)
}

extension ProtobufSchema {
    /// metav1.ListMeta.
    package static let listMeta = ProtobufSchema(
        value(1, "selfLink"), value(2, "resourceVersion"), value(3, "continue"),
        pointer(4, "remainingItemCount", .number))

    private static let managedFieldsEntry = ProtobufSchema(
        value(1, "manager"), value(2, "operation"), value(3, "apiVersion"),
        pointer(4, "time", .time), value(6, "fieldsType"), pointer(7, "fieldsV1", .rawJSON),
        value(8, "subresource"))

    private static let ownerReference = ProtobufSchema(
        value(1, "kind"), value(3, "name"), value(4, "uid"), value(5, "apiVersion"),
        pointer(6, "controller", .bool), pointer(7, "blockOwnerDeletion", .bool))

    static let objectMeta = ProtobufSchema(
        value(1, "name"), value(2, "generateName"), value(3, "namespace"), value(4, "selfLink"),
        value(5, "uid"), value(6, "resourceVersion"), value(7, "generation", .number),
        value(8, "creationTimestamp", .time), pointer(9, "deletionTimestamp", .time),
        pointer(10, "deletionGracePeriodSeconds", .number), value(11, "labels", .map(.string)),
        value(12, "annotations", .map(.string)),
        value(13, "ownerReferences", .list(.message(ownerReference))),
        value(14, "finalizers", .list(.string)),
        value(17, "managedFields", .list(.message(managedFieldsEntry))))

    private static let taint = ProtobufSchema(
        value(1, "key"), value(2, "value"), value(3, "effect"), pointer(4, "timeAdded", .time))

    private static let nodeSpec = ProtobufSchema(
        value(1, "podCIDR"), value(2, "externalID"), value(3, "providerID"),
        value(4, "unschedulable", .bool), value(5, "taints", .list(.message(taint))),
        value(7, "podCIDRs", .list(.string)))

    private static let nodeCondition = ProtobufSchema(
        value(1, "type"), value(2, "status"), value(3, "lastHeartbeatTime", .time),
        value(4, "lastTransitionTime", .time), value(5, "reason"), value(6, "message"))

    private static let nodeAddress = ProtobufSchema(value(1, "type"), value(2, "address"))

    private static let daemonEndpoints = ProtobufSchema(
        value(1, "kubeletEndpoint", .message(ProtobufSchema(value(1, "Port", .number)))))

    private static let nodeInfo = ProtobufSchema(
        value(1, "machineID"), value(2, "systemUUID"), value(3, "bootID"),
        value(4, "kernelVersion"), value(5, "osImage"), value(6, "containerRuntimeVersion"),
        value(7, "kubeletVersion"), value(8, "kubeProxyVersion"), value(9, "operatingSystem"),
        value(10, "architecture"),
        pointer(11, "swap", .message(ProtobufSchema(pointer(1, "capacity", .number)))))

    static let containerImage = ProtobufSchema(
        value(1, "names", .list(.string)), value(2, "sizeBytes", .number))

    private static let attachedVolume = ProtobufSchema(value(1, "name"), value(2, "devicePath"))

    private static let runtimeHandler = ProtobufSchema(
        value(1, "name"),
        pointer(
            2, "features",
            .message(
                ProtobufSchema(
                    pointer(1, "recursiveReadOnlyMounts", .bool),
                    pointer(2, "userNamespaces", .bool)))))

    private static let nodeStatus = ProtobufSchema(
        value(1, "capacity", .map(.quantity)), value(2, "allocatable", .map(.quantity)),
        value(3, "phase"), value(4, "conditions", .list(.message(nodeCondition))),
        value(5, "addresses", .list(.message(nodeAddress))),
        value(6, "daemonEndpoints", .message(daemonEndpoints)),
        value(7, "nodeInfo", .message(nodeInfo)),
        value(8, "images", .list(.message(containerImage))),
        value(9, "volumesInUse", .list(.string)),
        value(10, "volumesAttached", .list(.message(attachedVolume))),
        value(12, "runtimeHandlers", .list(.message(runtimeHandler))),
        pointer(
            13, "features",
            .message(ProtobufSchema(pointer(1, "supplementalGroupsPolicy", .bool)))))

    /// core/v1 Node.
    package static let node = ProtobufSchema(
        value(1, "metadata", .message(objectMeta)), value(2, "spec", .message(nodeSpec)),
        value(3, "status", .message(nodeStatus)))

    /// core/v1 NodeList.
    package static let nodeList = ProtobufSchema(
        value(1, "metadata", .message(listMeta)), value(2, "items", .list(.message(node))))

    /// metav1.Status.
    package static let status = ProtobufSchema(
        value(1, "metadata", .message(listMeta)), value(2, "status"), value(3, "message"),
        value(4, "reason"),
        pointer(
            5, "details",
            .message(
                ProtobufSchema(
                    value(1, "name"), value(2, "group"), value(3, "kind"),
                    value(
                        4, "causes",
                        .list(
                            .message(
                                ProtobufSchema(
                                    value(1, "reason"), value(2, "message"), value(3, "field"))))),
                    value(5, "retryAfterSeconds", .number), value(6, "uid")))),
        value(6, "code", .number))

    /// By kind; nil for what the simulator shows in JSON only.
    package static func of(kind: String) -> ProtobufSchema? {
        switch kind {
        case "Node": node
        case "NodeList": nodeList
        case "Status": status
        default: nil
        }
    }
}
