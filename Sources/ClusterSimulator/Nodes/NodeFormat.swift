import ObjectEncoding

/// How nodes are shown: as they are, or as rows of a table, which is what kubectl asks for.
enum NodeFormat: Sendable {
    case object
    case table
    case protobuf

    /// What an Accept header asks for.
    init(accept: String) {
        if WireFormat(accept: accept) == .protobuf {
            self = .protobuf
        } else {
            self = accept.contains("as=Table") ? .table : .object
        }
    }

    var wireFormat: WireFormat { self == .protobuf ? .protobuf : .json }

    // MARK: Lists

    /// What comes before the items.
    func listStart(
        _ metadata: ListMetadata, _ nodes: ArraySlice<SimulatedNode>, _ cluster: Cluster
    ) -> [UInt8] {
        var json = JSONText()
        switch self {
        case .object:
            json.raw("{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"metadata\":")
            json.raw(metadata.json.bytes)
            json.raw(",\"items\":[")
        case .table:
            json.raw("{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":")
            json.raw(metadata.json.bytes)
            json.raw(",\"columnDefinitions\":")
            json.raw(Self.columns)
            json.raw(",\"rows\":[")
        case .protobuf: return protobufListStart(metadata, nodes, cluster)
        }
        return json.bytes
    }

    func item(_ node: SimulatedNode, _ cluster: Cluster, isFirst: Bool) -> [UInt8] {
        if self == .protobuf {
            var text = ProtobufText()
            text.message(2) { cluster.append(node, to: &$0) }
            return text.bytes
        }
        var json = JSONText()
        if !isFirst { json.raw(",") }
        if self == .object {
            cluster.append(node, withKind: false, to: &json)
        } else {
            appendRow(node, cluster, to: &json)
        }
        return json.bytes
    }

    /// What comes after the items.
    var listEnd: [UInt8] {
        guard self == .protobuf else { return Array("]}\n".utf8) }
        var text = ProtobufText()
        text.unknownEnd()
        return text.bytes
    }

    /// A list's length comes before it, so its items are made twice, as an API server does.
    private func protobufListStart(
        _ metadata: ListMetadata, _ nodes: ArraySlice<SimulatedNode>, _ cluster: Cluster
    ) -> [UInt8] {
        var list = ProtobufText()
        list.message(1) { $0.fields(metadata.json, .listMeta) }
        let length = nodes.reduce(list.bytes.count) {
            $0 + item($1, cluster, isFirst: false).count
        }
        var text = ProtobufText()
        text.unknownStart(apiVersion: "v1", kind: "NodeList", length: length)
        return text.bytes + list.bytes
    }

    // MARK: Single nodes

    func writer(_ cluster: Cluster) -> WatchWriter<SimulatedNode> {
        if self == .protobuf {
            return .protobuf(kind: "Node") { cluster.append($0, to: &$1) }
        }
        return .json(
            append: { appendObject($0, cluster, to: &$1) },
            appendBookmark: { metadata, json in
                json.raw("{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":\(metadata)")
                json.raw(",\"spec\":{},\"status\":{\"daemonEndpoints\":{\"kubeletEndpoint\":")
                json.raw("{\"Port\":0}},\"nodeInfo\":{\"machineID\":\"\",\"systemUUID\":\"\",")
                json.raw("\"bootID\":\"\",\"kernelVersion\":\"\",\"osImage\":\"\",")
                json.raw("\"containerRuntimeVersion\":\"\",\"kubeletVersion\":\"\",")
                json.raw("\"kubeProxyVersion\":\"\",\"operatingSystem\":\"\",")
                json.raw("\"architecture\":\"\"}}}")
            })
    }

    /// One node in JSON: as a document of its own, or as the object of a watch event.
    func appendObject(_ node: SimulatedNode, _ cluster: Cluster, to json: inout JSONText) {
        switch self {
        case .object, .protobuf: cluster.append(node, withKind: true, to: &json)
        case .table:
            json.raw("{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":")
            json.raw("{\"resourceVersion\":\"\(node.resourceVersion)\"},\"columnDefinitions\":")
            json.raw(Self.columns)
            json.raw(",\"rows\":[")
            appendRow(node, cluster, to: &json)
            json.raw("]}")
        }
    }

    private func appendRow(_ node: SimulatedNode, _ cluster: Cluster, to json: inout JSONText) {
        let profile = cluster.encoder(of: node).profile
        let info = Dictionary(profile.nodeInfo) { first, _ in first }
        let status = "Ready" + (node.values.isUnschedulable ? ",SchedulingDisabled" : "")
        let cells = [
            node.name, status, "<none>", Timestamp.age(node.values.created),
            info["kubeletVersion"] ?? "",
            NodeProfile.address(node.values.ordinal), "<none>", info["osImage"] ?? "",
            info["kernelVersion"] ?? "", info["containerRuntimeVersion"] ?? "",
        ]
        json.raw("{\"cells\":[")
        for (index, cell) in cells.enumerated() {
            if index > 0 { json.raw(",") }
            json.string(cell)
        }
        json.raw("],\"object\":{\"kind\":\"PartialObjectMetadata\",")
        json.raw("\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":")
        cluster.encoder(of: node).partialMetadata(node, &json)
        json.raw("}}")
    }

    private static let columns: String = {
        let wide = [
            "Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime",
        ]
        let columns =
            ["Name", "Status", "Roles", "Age", "Version"].map { ($0, 0) } + wide.map { ($0, 1) }
        let list = columns.map { name, priority in
            "{\"name\":\"\(name)\",\"type\":\"string\",\"format\":\"\(name == "Name" ? "name" : "")\","
                + "\"description\":\"\(name)\",\"priority\":\(priority)}"
        }
        return "[" + list.joined(separator: ",") + "]"
    }()
}
