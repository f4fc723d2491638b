import ObjectEncoding

/// As much of OpenAPI v3 as kubectl asks for before it applies: that a PATCH takes
/// `fieldValidation`, so that the server is the one to check fields.
enum OpenAPI {
    /// The answer to a path of OpenAPI; nil for any other.
    static func answer(_ path: String) -> APIResponse? {
        guard path.hasPrefix("/openapi/v3") else { return nil }
        let rest = path.dropFirst("/openapi/v3".utf8.count)
        if rest.isEmpty { return .object(200, index) }
        let kinds = ResourceKind.all.filter { "/" + root($0) == rest }
        return kinds.isEmpty ? nil : .object(200, document(kinds))
    }

    /// "api/v1", "apis/coordination.k8s.io/v1".
    private static func root(_ kind: ResourceKind) -> String {
        kind.group.isEmpty ? "api/\(kind.version)" : "apis/\(kind.apiVersion)"
    }

    private static var index: JSONValue {
        let paths = ResourceKind.all.map { kind -> (String, JSONValue) in
            (root(kind), ["serverRelativeURL": .string("/openapi/v3/\(root(kind))")])
        }
        return ["paths": .object(JSONObject(paths))]
    }

    private static func document(_ kinds: [ResourceKind]) -> JSONValue {
        let parameters = ["dryRun", "fieldManager", "fieldValidation", "force"].map {
            name -> JSONValue in
            [
                "name": .string(name), "in": "query",
                "schema": ["type": name == "force" ? "boolean" : "string"],
            ]
        }
        var paths = JSONObject()
        var schemas = JSONObject()
        for kind in kinds {
            let identity: JSONValue = [
                "group": .string(kind.group), "version": .string(kind.version),
                "kind": .string(kind.kind),
            ]
            let namespace = kind.isNamespaced ? "/namespaces/{namespace}" : ""
            paths["/\(root(kind))\(namespace)/\(kind.plural)/{name}"] = [
                "patch": [
                    "x-kubernetes-action": "patch",
                    "x-kubernetes-group-version-kind": identity,
                    "parameters": .array(parameters),
                ]
            ]
            schemas["io.k8s.\(kind.kind)"] = [
                "type": "object", "x-kubernetes-preserve-unknown-fields": .bool(true),
                "x-kubernetes-group-version-kind": .array([identity]),
            ]
        }
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.36.2"],
            "paths": .object(paths), "components": ["schemas": .object(schemas)],
        ]
    }
}
