import ObjectEncoding

/// How objects are shown: as they are, or as rows of a table, which is what kubectl asks for.
struct ObjectFormat: Sendable {
    private struct Column: Sendable {
        var name: String
        var cell: @Sendable (JSONValue) -> String?
    }

    let kind: ResourceKind
    private let isTable: Bool

    init(_ kind: ResourceKind, accept: String) {
        self.kind = kind
        isTable = accept.contains("as=Table")
    }

    /// One object as a document of its own, or as the object of a watch event.
    func document(_ object: JSONValue) -> JSONValue {
        isTable
            ? table([object], resourceVersion: object["metadata", "resourceVersion"]?.string ?? "")
            : EventForms.shown(object, of: kind)
    }

    func list(_ objects: [JSONValue], resourceVersion: Int) -> JSONValue {
        if isTable { return table(objects, resourceVersion: "\(resourceVersion)") }
        let items = objects.map { object in
            var item = EventForms.shown(object, of: kind)
            item["kind"] = nil
            item["apiVersion"] = nil
            return item
        }
        return [
            "kind": .string("\(kind.kind)List"), "apiVersion": .string(kind.apiVersion),
            "metadata": ["resourceVersion": .string("\(resourceVersion)")],
            "items": .array(items),
        ]
    }

    private func table(_ objects: [JSONValue], resourceVersion: String) -> JSONValue {
        let columns = columns
        let definitions = columns.map { column -> JSONValue in
            [
                "name": .string(column.name), "type": "string",
                "format": column.name == "Name" ? "name" : "", "description": "",
                "priority": .number(0),
            ]
        }
        let rows = objects.map { object -> JSONValue in
            [
                "cells": .array(columns.map { .string($0.cell(object) ?? "<none>") }),
                "object": [
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": object["metadata"] ?? [:],
                ],
            ]
        }
        return [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1",
            "metadata": ["resourceVersion": .string(resourceVersion)],
            "columnDefinitions": .array(definitions), "rows": .array(rows),
        ]
    }

    private var columns: [Column] {
        let name = Column(name: "Name") { $0["metadata", "name"]?.string }
        let age = Column(name: "Age") { object in
            Timestamp.age(object["metadata", "creationTimestamp"])
        }
        switch kind.kind {
        case "Lease":
            return [name, Column(name: "Holder") { $0["spec", "holderIdentity"]?.string }, age]
        case "Event":
            return [
                Column(name: "Last Seen") { event in
                    Timestamp.age(event["lastTimestamp"]) ?? Timestamp.age(event["eventTime"])
                        ?? Timestamp.age(event["metadata", "creationTimestamp"])
                },
                Column(name: "Type") { $0["type"]?.string },
                Column(name: "Reason") { $0["reason"]?.string },
                Column(name: "Object") { event in
                    let kind = event["involvedObject", "kind"]?.string ?? ""
                    return "\(kind.lowercased())/\(event["involvedObject", "name"]?.string ?? "")"
                },
                Column(name: "Message") { $0["message"]?.string },
            ]
        default: return [name, age]
        }
    }
}
