import ObjectEncoding

/// Writes nodes the way a kube-apiserver does: field order of the Go types, map keys sorted.
struct NodeEncoder: Sendable {
    let profile: NodeProfile
    let catalog: ImageCatalog
    /// `metadata.managedFields`: the same for all nodes of a profile but for names nobody reads.
    private let managedFields: [UInt8]
    let managedFieldsInProtobuf: [UInt8]

    init(profile: NodeProfile, catalog: ImageCatalog) {
        self.profile = profile
        self.catalog = catalog
        let sample = SimulatedNode(
            .init(
                name: "sample", uid: "", resourceVersion: 0, created: 0, heartbeat: 0, ordinal: 0,
                pool: profile.pools[0], bootID: "", images: nil))
        managedFields = Self.managedFields(profile, sample)
        var text = ProtobufText()
        // The encoder's own output.
        text.managedFields((try? JSONValue(parsing: managedFields)) ?? .null)
        managedFieldsInProtobuf = text.bytes
    }

    /// One node. Items of a list carry no kind.
    func append(_ node: SimulatedNode, withKind: Bool, to json: inout JSONText) {
        if var document = node.document {
            document["kind"] = withKind ? "Node" : nil
            document["apiVersion"] = withKind ? "v1" : nil
            document.append(to: &json)
            return
        }
        json.raw("{")
        if withKind { json.raw("\"kind\":\"Node\",\"apiVersion\":\"v1\",") }
        json.raw("\"metadata\":{")
        metadata(node, &json)
        json.raw(",\"managedFields\":")
        json.raw(managedFields)
        json.raw("},\"spec\":{\"podCIDR\":")
        let podCIDR = podCIDR(node)
        json.string(podCIDR)
        json.raw(",\"podCIDRs\":[")
        json.string(podCIDR)
        json.raw("],\"providerID\":")
        json.string(profile.providerID(node))
        if node.values.isUnschedulable {
            json.raw(
                ",\"taints\":[{\"key\":\"node.kubernetes.io/unschedulable\","
                    + "\"effect\":\"NoSchedule\"}],\"unschedulable\":true")
        }
        json.raw("},\"status\":{\"capacity\":")
        json.object(profile.resources)
        json.raw(",\"allocatable\":")
        json.object(profile.allocatable)
        appendConditions(node, &json)
        appendAddresses(node, &json)
        json.raw(
            ",\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":\(node.kubelet.port)}},\"nodeInfo\":"
        )
        json.object(nodeInfo(node))
        images(node, &json)
        json.raw(
            ",\"runtimeHandlers\":[{\"name\":\"\",\"features\":{\"recursiveReadOnlyMounts\":true,"
                + "\"userNamespaces\":true}},{\"name\":\"runc\",\"features\":"
                + "{\"recursiveReadOnlyMounts\":true,\"userNamespaces\":true}}],"
                + "\"features\":{\"supplementalGroupsPolicy\":true}}}")
    }

    /// A node's labels.
    func labels(_ node: SimulatedNode) -> [(String, String)] {
        node.values.document?.labels ?? profile.labels(node)
    }

    /// The metadata of a table's row, with its braces.
    func partialMetadata(_ node: SimulatedNode, _ json: inout JSONText) {
        guard let document = node.document else {
            json.raw("{")
            metadata(node, &json)
            json.raw("}")
            return
        }
        document["metadata"]?.append(to: &json)
    }

    /// Name to annotations.
    private func metadata(_ node: SimulatedNode, _ json: inout JSONText) {
        json.raw("\"name\":")
        json.string(node.name)
        json.raw(",\"uid\":")
        json.string(node.uid)
        json.raw(",\"resourceVersion\":\"\(node.resourceVersion)\",\"creationTimestamp\":")
        json.string(Timestamp.text(node.values.created))
        json.raw(",\"labels\":")
        json.object(profile.labels(node))
        json.raw(",\"annotations\":")
        json.object(profile.annotations(node))
    }

    func podCIDR(_ node: SimulatedNode) -> String {
        "10.\(100 + node.values.ordinal >> 8 & 127).\(node.values.ordinal & 255).0/24"
    }

    func conditions(_ node: SimulatedNode) -> [NodeProfile.Condition] {
        let values = node.values
        guard values.hasDiskPressure || values.hasFrequentRestarts else {
            return profile.conditions
        }
        return profile.conditions.map { condition in
            switch condition.type {
            case "DiskPressure" where values.hasDiskPressure:
                NodeProfile.Condition(
                    "DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure",
                    isTrue: true)
            case "FrequentContainerdRestart" where values.hasFrequentRestarts:
                NodeProfile.Condition(
                    "FrequentContainerdRestart", "FrequentContainerdRestart",
                    "Found 6 matching logs, which meets the threshold of 5", isTrue: true)
            default: condition
            }
        }
    }

    func addresses(_ node: SimulatedNode) -> [(String, String)] {
        [
            ("InternalIP", node.kubelet.address), ("Hostname", node.name),
            ("InternalDNS", node.name),
        ]
    }

    func nodeInfo(_ node: SimulatedNode) -> [(String, String)] {
        var random = SeededRandom(seed: UInt64(node.values.ordinal) ^ 0x1d)
        return [
            ("machineID", random.hex(32)), ("systemUUID", random.uuid()),
            ("bootID", node.values.bootID),
        ] + profile.nodeInfo
    }

    private func appendConditions(_ node: SimulatedNode, _ json: inout JSONText) {
        json.raw(",\"conditions\":[")
        let heartbeat = Timestamp.text(node.values.heartbeat)
        let transition = Timestamp.text(node.values.created + 12)
        for (index, condition) in conditions(node).enumerated() {
            if index > 0 { json.raw(",") }
            json.raw("{\"type\":")
            json.string(condition.type)
            json.raw(condition.isTrue ? ",\"status\":\"True\"" : ",\"status\":\"False\"")
            json.raw(",\"lastHeartbeatTime\":\"\(heartbeat)\"")
            json.raw(",\"lastTransitionTime\":\"\(transition)\",\"reason\":")
            json.string(condition.reason)
            json.raw(",\"message\":")
            json.string(condition.message)
            json.raw("}")
        }
        json.raw("]")
    }

    private func appendAddresses(_ node: SimulatedNode, _ json: inout JSONText) {
        json.raw(",\"addresses\":[")
        for (index, (type, address)) in addresses(node).enumerated() {
            if index > 0 { json.raw(",") }
            json.raw("{\"type\":\"\(type)\",\"address\":")
            json.string(address)
            json.raw("}")
        }
        json.raw("]")
    }

    private func images(_ node: SimulatedNode, _ json: inout JSONText) {
        guard let numbers = node.values.images else { return }
        let catalog = catalog.all
        json.raw(",\"images\":[")
        for (index, number) in numbers.prefix(NodeProfile.imageCap).enumerated() {
            if index > 0 { json.raw(",") }
            json.raw(catalog[number].json)
        }
        json.raw("]")
    }

    /// Field ownership of the usual writers, as sets of field paths.
    private static func managedFields(_ profile: NodeProfile, _ sample: SimulatedNode) -> [UInt8] {
        func fields(_ names: [String]) -> String {
            let list = names.map { name in
                var key = JSONText()
                key.string("f:\(name)")
                return String(decoding: key.bytes, as: UTF8.self) + ":{}"
            }
            return "{\".\":{}," + list.joined(separator: ",") + "}"
        }
        func keyed(_ values: [String], _ parts: [String]) -> String {
            let list = values.map { value in
                "\"k:{\\\"type\\\":\\\"\(value)\\\"}\":" + fields(parts)
            }
            return "{\".\":{}," + list.joined(separator: ",") + "}"
        }
        func entry(_ manager: String, _ subresource: String, _ fields: String) -> String {
            "{\"manager\":\"\(manager)\",\"operation\":\"Update\",\"apiVersion\":\"v1\","
                + "\"time\":\"2026-11-01T08:00:00Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":"
                + fields + (subresource.isEmpty ? "}" : ",\"subresource\":\"\(subresource)\"}")
        }
        let metadata =
            "{\"f:metadata\":{\"f:annotations\":" + fields(profile.annotations(sample).map(\.0))
            + ",\"f:labels\":" + fields(profile.labels(sample).map(\.0)) + "},\"f:spec\":"
            + fields(["podCIDR", "podCIDRs", "providerID"]) + "}"
        let parts = [
            "lastHeartbeatTime", "lastTransitionTime", "message", "reason", "status", "type",
        ]
        let status =
            "{\"f:status\":{\"f:addresses\":"
            + keyed(["Hostname", "InternalDNS", "InternalIP"], ["address", "type"])
            + ",\"f:allocatable\":" + fields(profile.allocatable.map(\.0)) + ",\"f:capacity\":"
            + fields(profile.resources.map(\.0)) + ",\"f:conditions\":"
            + keyed(profile.conditions.map(\.type), parts) + ",\"f:images\":{},\"f:nodeInfo\":"
            + fields(["bootID", "machineID"] + profile.nodeInfo.map(\.0)) + "}}"
        let text =
            "[" + entry("kubelet", "", metadata) + "," + entry("kubelet", "status", status) + "]"
        return Array(text.utf8)
    }
}
