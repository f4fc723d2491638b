import ObjectEncoding

/// The same node in protobuf, without the way around by JSON, which takes ten times as long.
extension NodeEncoder {
    func append(_ node: SimulatedNode, to text: inout ProtobufText) {
        if let document = node.document {
            text.fields(document, .node)
            return
        }
        text.message(1) { metadata(node, &$0) }
        text.message(2) { spec(node, &$0) }
        text.message(3) { status(node, &$0) }
    }

    private func metadata(_ node: SimulatedNode, _ text: inout ProtobufText) {
        text.string(1, node.name)
        for field in 2...4 { text.string(field, "") }
        text.string(5, node.uid)
        text.string(6, String(node.resourceVersion))
        text.number(7, 0)
        text.time(8, node.values.created)
        for (key, value) in profile.labels(node) { text.entry(11, key, value) }
        for (key, value) in profile.annotations(node) { text.entry(12, key, value) }
        text.bytes += managedFieldsInProtobuf
    }

    private func spec(_ node: SimulatedNode, _ text: inout ProtobufText) {
        let podCIDR = podCIDR(node)
        text.string(1, podCIDR)
        text.string(2, "")
        text.string(3, profile.providerID(node))
        text.bool(4, node.values.isUnschedulable)
        if node.values.isUnschedulable {
            text.message(5) {
                $0.string(1, "node.kubernetes.io/unschedulable")
                $0.string(2, "")
                $0.string(3, "NoSchedule")
            }
        }
        text.string(7, podCIDR)
    }

    private func status(_ node: SimulatedNode, _ text: inout ProtobufText) {
        resources(1, profile.resources, &text)
        resources(2, profile.allocatable, &text)
        text.string(3, "")
        for condition in conditions(node) {
            text.message(4) {
                $0.string(1, condition.type)
                $0.string(2, condition.isTrue ? "True" : "False")
                $0.time(3, node.values.heartbeat)
                $0.time(4, node.values.created + 12)
                $0.string(5, condition.reason)
                $0.string(6, condition.message)
            }
        }
        for (type, address) in addresses(node) {
            text.message(5) {
                $0.string(1, type)
                $0.string(2, address)
            }
        }
        text.message(6) { $0.message(1) { $0.number(1, node.kubelet.port) } }
        text.message(7) {
            // The profile's come in the order of the fields.
            for (index, field) in nodeInfo(node).enumerated() { $0.string(index + 1, field.1) }
        }
        images(node, &text)
        for name in ["", "runc"] {
            text.message(12) {
                $0.string(1, name)
                $0.message(2) {
                    $0.bool(1, true)
                    $0.bool(2, true)
                }
            }
        }
        text.message(13) { $0.bool(1, true) }
    }

    private func resources(
        _ field: Int, _ values: [(String, String)], _ text: inout ProtobufText
    ) {
        for (name, quantity) in values {
            text.message(field) {
                $0.string(1, name)
                $0.message(2) { $0.string(1, quantity) }
            }
        }
    }

    private func images(_ node: SimulatedNode, _ text: inout ProtobufText) {
        guard let numbers = node.values.images else { return }
        let catalog = catalog.all
        for number in numbers.prefix(NodeProfile.imageCap) {
            text.raw(8, catalog[number].protobuf)
        }
    }
}
