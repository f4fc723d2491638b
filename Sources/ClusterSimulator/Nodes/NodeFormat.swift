import ObjectEncoding

/// How nodes are shown: as they are, or as rows of a table, which is what kubectl asks for.
enum NodeFormat: Sendable {
    case object
    case table

    /// What an Accept header asks for.
    init(accept: String) {
        self = accept.contains("as=Table") ? .table : .object
    }

    func appendListStart(_ metadata: String, to json: inout JSONText) {
        switch self {
        case .object:
            json.raw("{\"kind\":\"NodeList\",\"apiVersion\":\"v1\",\"metadata\":\(metadata),")
            json.raw("\"items\":[")
        case .table:
            json.raw("{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",")
            json.raw("\"metadata\":\(metadata),\"columnDefinitions\":")
            json.raw(Self.columns)
            json.raw(",\"rows\":[")
        }
    }

    func appendItem(_ node: SimulatedNode, _ cluster: Cluster, to json: inout JSONText) {
        switch self {
        case .object: cluster.append(node, withKind: false, to: &json)
        case .table: appendRow(node, cluster, to: &json)
        }
    }

    /// One node as a document of its own, or as the object of a watch event.
    func appendObject(_ node: SimulatedNode, _ cluster: Cluster, to json: inout JSONText) {
        switch self {
        case .object: cluster.append(node, withKind: true, to: &json)
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
