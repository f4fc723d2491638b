import NIOHTTP1
import ObjectEncoding

/// POST, PUT, PATCH and DELETE on any resource.
struct ObjectWriter {
    let kind: ResourceKind
    let repository: any ObjectRepository
    let request: APIRequest
    let path: ResourcePath

    private var isDryRun: Bool { request.query["dryRun"] == "All" }
    private var isStatus: Bool { path.subresource == "status" }

    func respond() -> APIResponse {
        do throws(StatusBody) {
            switch (request.method, path.name) {
            case (.POST, nil): return try create()
            case (.PUT, let name?): return try replace(name)
            case (.PATCH, let name?): return try patch(name)
            case (.DELETE, let name?): return try delete(name)
            default: return .status(.methodNotAllowed())
            }
        } catch {
            return .status(error)
        }
    }

    // MARK: What clients send

    private func body() throws(StatusBody) -> JSONValue {
        do throws(JSONValue.Malformed) {
            return try JSONValue(parsing: request.body)
        } catch {
            throw .badRequest("the body cannot be read: \(error.message)")
        }
    }

    /// The body as an object of this resource, in the form it is kept in.
    private func object() throws(StatusBody) -> JSONValue {
        // Without a type, JSON is assumed: the Python client says none.
        guard request.contentType.isEmpty || request.contentType.hasPrefix("application/json")
        else { throw .unsupportedMediaType }
        var object = try body()
        // What an object is may be left to the path.
        if object["kind"] == nil { object["kind"] = .string(kind.kind) }
        if object["apiVersion"] == nil { object["apiVersion"] = .string(kind.apiVersion) }
        return EventForms.stored(try checkedKind(object), of: kind)
    }

    private func checkedKind(_ object: JSONValue) throws(StatusBody) -> JSONValue {
        guard object["kind"]?.string == kind.kind, object["apiVersion"]?.string == kind.apiVersion
        else {
            throw .badRequest(
                "the body is a \(object["kind"]?.string ?? "?") in version "
                    + "\(object["apiVersion"]?.string ?? "?"), not a \(kind.kind) in version "
                    + kind.apiVersion)
        }
        return object
    }

    private var writer: FieldManagers.Writer {
        FieldManagers.Writer(
            manager: request.fieldManager, subresource: path.subresource ?? "",
            apiVersion: kind.apiVersion, kind: kind.kind)
    }

    // MARK: Create

    private func create() throws(StatusBody) -> APIResponse {
        var object = try object()
        if kind.isNamespaced {
            let namespace = object["metadata", "namespace"]?.string ?? ""
            guard namespace.isEmpty || namespace == path.namespace else {
                throw .badRequest(
                    "the namespace of the provided object does not match the namespace sent on "
                        + "the request")
            }
            object["metadata", "namespace"] = .string(path.namespace)
        }
        if let prefix = object["metadata", "generateName"]?.string,
            object["metadata", "name"]?.string ?? "" == ""
        {
            object["metadata", "name"] = .string(prefix + Self.suffix())
        }
        let name = object["metadata", "name"]?.string ?? ""
        try check(object, name)
        object["metadata", "resourceVersion"] = nil
        object = owned(object, from: [:])
        return try created(name, kind.kind == "Event" ? EventForms.complete(object) : object)
    }

    /// Five characters that make a generated name one's own.
    private static func suffix() -> String {
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        return String((0..<5).map { _ in letters.randomElement() ?? "x" })
    }

    private func created(_ name: String, _ object: JSONValue) throws(StatusBody) -> APIResponse {
        let key = ObjectKey(namespace: path.namespace, name: name)
        guard let result = repository.create(key, object, dryRun: isDryRun) else {
            throw .alreadyExists(kind, name)
        }
        return .object(201, EventForms.shown(result, of: kind))
    }

    // MARK: Replace and patch

    private func replace(_ name: String) throws(StatusBody) -> APIResponse {
        let object = try object()
        guard object["metadata", "name"]?.string == name else {
            throw .badRequest(
                "the name of the object (\(object["metadata", "name"]?.string ?? "")) does not match "
                    + "the name on the URL (\(name))")
        }
        let version = object["metadata", "resourceVersion"]?.string ?? ""
        if version.isEmpty, kind.needsVersion {
            throw .invalid(
                kind, name,
                [
                    .init(
                        "FieldValueInvalid", "Invalid value: 0: must be specified for an update",
                        field: "metadata.resourceVersion")
                ])
        }
        return try change(name) { old throws(StatusBody) in
            try finish(object, replacing: old, name)
        }
    }

    private func patch(_ name: String) throws(StatusBody) -> APIResponse {
        let type = request.contentType.split(separator: ";").first.map(String.init) ?? ""
        switch type {
        case "application/merge-patch+json":
            let patch = EventForms.stored(try body(), of: kind)
            return try change(name) { old throws(StatusBody) in
                try finish(ObjectPatch.merge(patch, into: old), replacing: old, name)
            }
        case "application/strategic-merge-patch+json":
            let patch = EventForms.stored(try body(), of: kind)
            return try change(name) { old throws(StatusBody) in
                try finish(
                    ObjectPatch.strategic(patch, into: old, kind: kind.kind), replacing: old, name)
            }
        case "application/json-patch+json":
            let patch = try body()
            return try change(name) { old throws(StatusBody) in
                try finish(try ObjectPatch.operations(patch, on: old), replacing: old, name)
            }
        case "application/apply-patch+yaml": return try apply(name)
        default: throw .unsupportedMediaType
        }
    }

    private func apply(_ name: String) throws(StatusBody) -> APIResponse {
        guard request.query["fieldManager"]?.isEmpty == false else {
            throw StatusBody(
                code: 422, reason: "Invalid",
                message:
                    "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is "
                    + "required for apply patch",
                kind: "PatchOptions", group: "meta.k8s.io",
                causes: [
                    .init(
                        "FieldValueRequired", "Required value: is required for apply patch",
                        field: "fieldManager")
                ])
        }
        let configuration = try checkedKind(try body())
        guard configuration["metadata", "managedFields"] == nil else {
            throw .badRequest("metadata.managedFields must be nil")
        }
        let isForced = request.isSet("force")
        let key = ObjectKey(namespace: path.namespace, name: name)
        if !isStatus, repository.object(key) == nil {
            var managers = FieldManagers(of: .null)
            var object = try managers.apply(configuration, to: nil, by: writer, isForced: true)
            if kind.isNamespaced { object["metadata", "namespace"] = .string(path.namespace) }
            try check(object, name)
            object["metadata", "managedFields"] = managers.json
            return try created(name, object)
        }
        return try change(name) { old throws(StatusBody) in
            var managers = FieldManagers(of: old)
            var new = try managers.apply(configuration, to: old, by: writer, isForced: isForced)
            try keepServed(&new, from: old, name)
            new["metadata", "managedFields"] = managers.json
            return new
        }
    }

    private func change(
        _ name: String, _ change: (JSONValue) throws(StatusBody) -> JSONValue
    ) throws(StatusBody) -> APIResponse {
        let key = ObjectKey(namespace: path.namespace, name: name)
        let outcome = repository.update(key, dryRun: isDryRun) { old in
            Result { () throws(StatusBody) in try change(old) }
        }
        guard let outcome else { throw .notFound(kind, name) }
        return .object(200, EventForms.shown(try outcome.get(), of: kind))
    }

    /// What is kept when `new` takes the place of `old`: nothing where only bookkeeping differs.
    private func finish(
        _ object: JSONValue, replacing old: JSONValue, _ name: String
    ) throws(StatusBody) -> JSONValue {
        var new = object
        try keepServed(&new, from: old, name)
        new["metadata", "managedFields"] = old["metadata", "managedFields"]
        return new == old ? old : owned(new, from: old)
    }

    private func owned(_ object: JSONValue, from old: JSONValue) -> JSONValue {
        var managers = FieldManagers(of: old)
        managers.update(from: old, to: object, by: writer)
        var object = object
        object["metadata", "managedFields"] = managers.json
        return object
    }

    /// Keeps what clients cannot change, and checks what they can.
    private func keepServed(
        _ object: inout JSONValue, from old: JSONValue, _ name: String
    ) throws(StatusBody) {
        let version = object["metadata", "resourceVersion"]?.string ?? ""
        guard version.isEmpty || version == old["metadata", "resourceVersion"]?.string else {
            throw .conflict(kind, name)
        }
        let uid = object["metadata", "uid"]?.string ?? ""
        let oldUID = old["metadata", "uid"]?.string ?? ""
        guard uid.isEmpty || uid == oldUID else {
            throw .precondition(kind, name, "UID", wanted: uid, found: oldUID)
        }
        for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            object["metadata", key] = old["metadata", key]
        }
        if kind.hasStatus {
            let kept = isStatus ? "spec" : "status"
            object[kept] = old[kept]
        }
        try check(object, name)
    }

    private func check(_ object: JSONValue, _ name: String) throws(StatusBody) {
        let causes = Validation.faults(object, kind)
        guard causes.isEmpty else { throw .invalid(kind, name, causes) }
    }

    // MARK: Delete

    /// Options stand in the body; beside a body those of the query are ignored, as in the real
    /// server. A node goes at once: its grace period is accepted and has no effect.
    private func delete(_ name: String) throws(StatusBody) -> APIResponse {
        let options = request.body.isEmpty ? [:] : try body()
        let isDryRun =
            request.body.isEmpty
            ? isDryRun : options["dryRun"]?.array?.contains("All") ?? false
        let wanted = options["preconditions"]
        let key = ObjectKey(namespace: path.namespace, name: name)
        let outcome = repository.delete(key, dryRun: isDryRun) { old in
            for (field, what) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
                let found = old["metadata", field]?.string ?? ""
                if let wanted = wanted?[field]?.string, wanted != found {
                    return .precondition(kind, name, what, wanted: wanted, found: found)
                }
            }
            return nil
        }
        guard let outcome else { throw .notFound(kind, name) }
        let old = try outcome.get()
        var details: JSONValue = ["name": .string(name)]
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        details["kind"] = .string(kind.plural)
        details["uid"] = old["metadata", "uid"]
        return .object(
            200,
            [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
                "details": details,
            ])
    }
}
