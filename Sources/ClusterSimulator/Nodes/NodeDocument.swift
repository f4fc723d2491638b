import ObjectEncoding

/// Nodes as documents, once somebody wrote to them through the API.
///
/// A node that was never written is its profile and a few values. One that was is a document too,
/// which is then the whole truth but for the resourceVersion; its values mirror it, so that pulls,
/// heartbeats and selectors work on both alike.
extension Cluster {
    /// A node as it is shown.
    func document(of node: SimulatedNode) -> JSONValue {
        if let document = node.document { return document }
        var json = JSONText()
        append(node, withKind: true, to: &json)
        // The encoder's own output.
        return (try? JSONValue(parsing: json.bytes)) ?? .null
    }

    /// The values of a node that is written to be `document`.
    func values(of document: JSONValue, from old: SimulatedNode.Values) -> SimulatedNode.Values {
        var values = old
        values.document = document
        values.isUnschedulable = document["spec", "unschedulable"]?.bool ?? false
        values.hasDiskPressure =
            document["status", "conditions"]?.array?.contains {
                $0["type"] == "DiskPressure" && $0["status"] == "True"
            } ?? false
        values.bootID = document["status", "nodeInfo"]?["bootID"]?.string ?? old.bootID
        let images = document["status", "images"]?.array
        if images != old.images.map({ Self.entries($0, catalog) }) {
            values.images = images.map { images in
                images.map { image in
                    catalog.number(
                        names: image["names"]?.array?.compactMap(\.string) ?? [],
                        sizeBytes: image["sizeBytes"]?.int ?? 0)
                }
            }
        }
        return values
    }

    /// Brings a document up to values that the simulation changed.
    func mirror(_ values: inout SimulatedNode.Values, changedFrom old: SimulatedNode.Values) {
        guard var document = values.document else { return }
        if values.images != old.images {
            document["status", "images"] = values.images.map {
                .array(Self.entries($0, catalog))
            }
        }
        if values.isUnschedulable != old.isUnschedulable {
            document["spec", "unschedulable"] = values.isUnschedulable ? .bool(true) : nil
        }
        if values.heartbeat != old.heartbeat || values.hasDiskPressure != old.hasDiskPressure {
            let pressure = values.hasDiskPressure
            document["status", "conditions"] = document["status", "conditions"]?.array.map {
                conditions in
                let time = JSONValue.string(Timestamp.text(values.heartbeat))
                return .array(
                    conditions.map { condition in
                        var condition = condition
                        if condition["lastHeartbeatTime"] != nil {
                            condition["lastHeartbeatTime"] = time
                        }
                        if condition["type"] == "DiskPressure", pressure != old.hasDiskPressure {
                            condition["status"] = pressure ? "True" : "False"
                            condition["reason"] = .string(
                                pressure ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure")
                        }
                        return condition
                    })
            }
        }
        values.document = document
    }

    private static func entries(_ numbers: [Int], _ catalog: ImageCatalog) -> [JSONValue] {
        let all = catalog.all
        return numbers.prefix(NodeProfile.imageCap).compactMap {
            try? JSONValue(parsing: Array(all[$0].json))
        }
    }
}
