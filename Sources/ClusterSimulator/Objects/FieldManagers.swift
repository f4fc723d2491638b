import ObjectEncoding

/// Who owns which field of an object: `metadata.managedFields`.
///
/// After the rules of server-side apply
/// (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
struct FieldManagers {
    private struct Entry {
        var manager: String
        var operation: String
        var subresource: String
        var apiVersion: String
        var time: String
        var fields: FieldSet
    }

    /// Who writes.
    struct Writer {
        var manager: String
        var subresource = ""
        var apiVersion: String
        var kind: String
    }

    private var entries: [Entry]

    init(of object: JSONValue) {
        entries = (object["metadata", "managedFields"]?.array ?? []).map { entry in
            Entry(
                manager: entry["manager"]?.string ?? "",
                operation: entry["operation"]?.string ?? "",
                subresource: entry["subresource"]?.string ?? "",
                apiVersion: entry["apiVersion"]?.string ?? "", time: entry["time"]?.string ?? "",
                fields: FieldSet(fieldsV1: entry["fieldsV1"] ?? .null))
        }
    }

    var json: JSONValue {
        .array(
            entries.map { entry in
                var json: JSONValue = [
                    "manager": .string(entry.manager), "operation": .string(entry.operation),
                    "apiVersion": .string(entry.apiVersion), "time": .string(entry.time),
                    "fieldsType": "FieldsV1", "fieldsV1": entry.fields.fieldsV1,
                ]
                if !entry.subresource.isEmpty { json["subresource"] = .string(entry.subresource) }
                return json
            })
    }

    /// A write that is no apply: the writer owns what it changed, and nobody owns what is gone.
    mutating func update(from old: JSONValue, to new: JSONValue, by writer: Writer) {
        let fields = FieldSet(of: new, kind: writer.kind)
        let changed = FieldSet(
            fields.paths.filter { path in old.field(path[...]) != new.field(path[...]) })
        for index in entries.indices {
            entries[index].fields = FieldSet(
                entries[index].fields.subtracting(changed).paths.filter {
                    new.field($0[...]) != nil
                })
        }
        entries.removeAll { $0.fields.isEmpty }
        own(changed, "Update", writer, addingTo: true)
    }

    /// An apply: what the configuration sets becomes the writer's, what it no longer sets goes where
    /// nobody else owns it.
    ///
    /// - Throws: 409 where another owns a field with another value, unless forced.
    mutating func apply(
        _ configuration: JSONValue, to object: JSONValue?, by writer: Writer, isForced: Bool
    ) throws(StatusBody) -> JSONValue {
        let fields = FieldSet(of: configuration, kind: writer.kind)
        let isOwn = { (entry: Entry) in
            entry.manager == writer.manager && entry.operation == "Apply"
                && entry.subresource == writer.subresource
        }
        var conflicts: [(manager: String, apiVersion: String, path: FieldSet.Path)] = []
        for index in entries.indices where !isOwn(entries[index]) {
            let entry = entries[index]
            for path in entry.fields.paths
            where fields.contains(path) && path.last != "."
                && object?.field(path[...]) != configuration.field(path[...])
            {
                conflicts.append((entry.manager, entry.apiVersion, path))
                if isForced {
                    entries[index].fields = entries[index].fields.subtracting(FieldSet([path]))
                }
            }
        }
        guard isForced || conflicts.isEmpty else { throw Self.conflict(conflicts) }
        var result = Self.merged(configuration, into: object, kind: writer.kind, path: [])
        if let own = entries.first(where: isOwn) {
            let others = entries.filter { !isOwn($0) }
            for path in own.fields.subtracting(fields).paths
            where !others.contains(where: { $0.fields.contains(path) }) {
                result.removeField(path[...])
            }
        }
        entries.removeAll { isOwn($0) || $0.fields.isEmpty }
        own(fields, "Apply", writer, addingTo: false)
        return result
    }

    private mutating func own(
        _ fields: FieldSet, _ operation: String, _ writer: Writer, addingTo: Bool
    ) {
        guard !fields.isEmpty else { return }
        let index = entries.firstIndex {
            $0.manager == writer.manager && $0.operation == operation
                && $0.subresource == writer.subresource
        }
        let time = Timestamp.text(Clock.seconds())
        if addingTo, let index {
            entries[index].fields = entries[index].fields.union(fields)
            entries[index].time = time
        } else {
            let entry = Entry(
                manager: writer.manager, operation: operation, subresource: writer.subresource,
                apiVersion: writer.apiVersion, time: time, fields: fields)
            entries.insert(entry, at: operation == "Apply" ? 0 : entries.count)
        }
    }

    private static func conflict(
        _ conflicts: [(manager: String, apiVersion: String, path: FieldSet.Path)]
    ) -> StatusBody {
        let texts = conflicts.map { conflict in
            (
                "conflict with \"\(conflict.manager)\" using \(conflict.apiVersion)",
                FieldSet.text(conflict.path)
            )
        }.sorted { $0.1 < $1.1 }
        let count = texts.count == 1 ? "1 conflict" : "\(texts.count) conflicts"
        return StatusBody(
            code: 409, reason: "Conflict",
            message: "Apply failed with \(count): "
                + texts.map { "\($0.0): \($0.1)" }.joined(separator: ", "),
            causes: texts.map { .init("FieldManagerConflict", $0.0, field: $0.1) })
    }

    /// The configuration laid over an object.
    private static func merged(
        _ configuration: JSONValue, into object: JSONValue?, kind: String, path: [String]
    ) -> JSONValue {
        switch configuration {
        case .object(let members):
            var result = object?.object ?? JSONObject()
            for (key, value) in members.pairs {
                result[key] = merged(value, into: result[key], kind: kind, path: path + [key])
            }
            return .object(result)
        case .array(let items):
            var list = object?.array ?? []
            switch ListRules.apply(kind, path) {
            case .atomic: return configuration
            case .set: list += items.filter { !list.contains($0) }
            case .keyed(let keys):
                for item in items {
                    if let index = list.firstIndex(where: { $0.isSameEntry(item, keys) }) {
                        list[index] = merged(item, into: list[index], kind: kind, path: path)
                    } else {
                        list.append(item)
                    }
                }
            }
            return .array(list)
        default: return configuration
        }
    }
}
