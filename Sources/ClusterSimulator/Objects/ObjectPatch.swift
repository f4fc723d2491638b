import ObjectEncoding

/// The kinds of patch an API server takes, by content type.
enum ObjectPatch {
    /// RFC 7386: members replace members, null removes.
    static func merge(_ patch: JSONValue, into target: JSONValue?) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = target?.object ?? JSONObject()
        for (key, value) in changes.pairs {
            result[key] = value == .null ? nil : merge(value, into: result[key])
        }
        return .object(result)
    }

    /// Kubernetes' strategic merge patch: as above, but lists merge by their keys, and `$patch`,
    /// `$retainKeys` and `$deleteFromPrimitiveList/…` say what else to do. `$setElementOrder/…` is
    /// accepted; new entries come last.
    static func strategic(
        _ patch: JSONValue, into target: JSONValue?, kind: String, path: [String] = []
    ) -> JSONValue {
        guard case .object(var changes) = patch else { return patch }
        let directive = changes["$patch"]?.string
        changes["$patch"] = nil
        if directive == "replace" { return .object(changes) }
        if directive == "delete" { return .object(JSONObject()) }
        var result = target?.object ?? JSONObject()
        if let kept = changes["$retainKeys"]?.array?.compactMap(\.string) {
            for key in result.keys where !kept.contains(key) { result[key] = nil }
        }
        for (key, value) in changes.pairs {
            if key == "$retainKeys" || key.hasPrefix("$setElementOrder/") { continue }
            let deletion = "$deleteFromPrimitiveList/"
            if key.hasPrefix(deletion) {
                let list = String(key.dropFirst(deletion.utf8.count))
                let gone = value.array ?? []
                result[list] = result[list]?.array.map {
                    .array($0.filter { !gone.contains($0) })
                }
            } else if value == .null {
                result[key] = nil
            } else if case .array(let items) = value {
                result[key] = mergedList(
                    items, into: result[key]?.array ?? [], kind: kind, path: path + [key])
            } else {
                result[key] = strategic(value, into: result[key], kind: kind, path: path + [key])
            }
        }
        return .object(result)
    }

    private static func mergedList(
        _ changes: [JSONValue], into list: [JSONValue], kind: String, path: [String]
    ) -> JSONValue {
        switch ListRules.strategic(kind, path) {
        case .atomic: return .array(changes)
        case .set: return .array(list + changes.filter { !list.contains($0) })
        case .keyed(let keys):
            var list = changes.contains { $0["$patch"]?.string == "replace" } ? [] : list
            for change in changes where change["$patch"]?.string != "replace" {
                let index = list.firstIndex { $0.isSameEntry(change, keys) }
                if change["$patch"]?.string == "delete" {
                    if let index { list.remove(at: index) }
                } else if let index {
                    list[index] = strategic(change, into: list[index], kind: kind, path: path)
                } else {
                    list.append(strategic(change, into: nil, kind: kind, path: path))
                }
            }
            return .array(list)
        }
    }

    /// RFC 6902: a list of operations.
    static func operations(_ patch: JSONValue, on target: JSONValue) throws(StatusBody) -> JSONValue
    {
        guard let operations = patch.array else {
            throw .badRequest("a JSON patch is a list of operations")
        }
        var document = target
        for operation in operations {
            let pointer = try path(operation["path"])
            switch operation["op"]?.string {
            case "add":
                guard let value = operation["value"] else { throw unable("add", pointer) }
                try set(value, at: pointer[...], in: &document, inserting: true)
            case "replace":
                guard let value = operation["value"], document.at(pointer) != nil else {
                    throw unable("replace", pointer)
                }
                try set(value, at: pointer[...], in: &document, inserting: false)
            case "remove":
                guard document.at(pointer) != nil else { throw unable("remove", pointer) }
                try set(nil, at: pointer[...], in: &document, inserting: false)
            case "test":
                guard document.at(pointer) == operation["value"] else {
                    throw unable("test", pointer)
                }
            case "copy", "move":
                let from = try path(operation["from"])
                guard let value = document.at(from) else { throw unable("copy", from) }
                if operation["op"]?.string == "move" {
                    try set(nil, at: from[...], in: &document, inserting: false)
                }
                try set(value, at: pointer[...], in: &document, inserting: true)
            default: throw .badRequest("unknown operation in a JSON patch")
            }
        }
        return document
    }

    private static func unable(_ operation: String, _ path: [String]) -> StatusBody {
        StatusBody(
            code: 422, reason: "Invalid",
            message: "the server rejected our request due to an error in our request: "
                + "\(operation) does not apply at /\(path.joined(separator: "/"))")
    }

    private static func path(_ value: JSONValue?) throws(StatusBody) -> [String] {
        guard let text = value?.string, text.isEmpty || text.hasPrefix("/") else {
            throw .badRequest("an operation of a JSON patch names no path")
        }
        return text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            part in
            part.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
                .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
        }
    }

    private static func set(
        _ value: JSONValue?, at path: ArraySlice<String>, in document: inout JSONValue,
        inserting: Bool
    ) throws(StatusBody) {
        guard let key = path.first else {
            document = value ?? .null
            return
        }
        let rest = path.dropFirst()
        switch document {
        case .object(var object):
            if rest.isEmpty {
                object[key] = value
            } else {
                guard var member = object[key] else { throw unable("operation", Array(path)) }
                try set(value, at: rest, in: &member, inserting: inserting)
                object[key] = member
            }
            document = .object(object)
        case .array(var items):
            let index = key == "-" ? items.count : Int(key) ?? -1
            let isNew = rest.isEmpty && inserting
            guard index >= 0, index < items.count + (isNew ? 1 : 0) else {
                throw unable("operation", Array(path))
            }
            if isNew {
                items.insert(value ?? .null, at: index)
            } else if rest.isEmpty {
                if let value { items[index] = value } else { items.remove(at: index) }
            } else {
                try set(value, at: rest, in: &items[index], inserting: inserting)
            }
            document = .array(items)
        default: throw unable("operation", Array(path))
        }
    }
}

extension JSONValue {
    /// What is at a JSON pointer's path.
    fileprivate func at(_ path: [String]) -> JSONValue? {
        var value = self
        for key in path {
            switch value {
            case .object(let object):
                guard let member = object[key] else { return nil }
                value = member
            case .array(let items):
                guard let index = Int(key), items.indices.contains(index) else { return nil }
                value = items[index]
            default: return nil
            }
        }
        return value
    }
}
