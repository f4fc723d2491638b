import ObjectEncoding

/// What the server says about itself: versions, groups and resources.
enum Discovery {
    static let version = """
        {"major":"1","minor":"36","gitVersion":"v1.36.2+plimsoll-sim","gitCommit":"",\
        "gitTreeState":"clean","buildDate":"2026-11-01T00:00:00Z","goVersion":"none",\
        "compiler":"swift","platform":"linux/amd64"}
        """

    private static let reviews = ResourceKind(
        group: "authorization.k8s.io", version: "v1", plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview", isNamespaced: false)

    private static let kinds = ResourceKind.all + [reviews]

    /// The answer to a path of discovery; nil for any other.
    static func answer(_ path: String) -> APIResponse? {
        let parts = path.split(separator: "/").map(String.init)
        switch (parts.first, parts.count) {
        case ("version", 1): return .json(200, Array(version.utf8))
        case ("livez", 1), ("readyz", 1), ("healthz", 1): return .json(200, Array("ok".utf8))
        case ("api", 1):
            return .object(
                200,
                [
                    "kind": "APIVersions", "versions": .array(["v1"]),
                    "serverAddressByClientCIDRs": .array([]),
                ])
        case ("apis", 1):
            return .object(
                200,
                [
                    "kind": "APIGroupList", "apiVersion": "v1",
                    "groups": .array(groups.map(group)),
                ])
        case ("api", 2): return resources("", parts[1])
        case ("apis", 2):
            guard groups.contains(parts[1]) else { return nil }
            var body = group(parts[1])
            body["kind"] = "APIGroup"
            body["apiVersion"] = "v1"
            return .object(200, body)
        case ("apis", 3): return resources(parts[1], parts[2])
        default: return nil
        }
    }

    private static var groups: [String] {
        var names: [String] = []
        for kind in kinds where !kind.group.isEmpty && !names.contains(kind.group) {
            names.append(kind.group)
        }
        return names
    }

    private static func group(_ name: String) -> JSONValue {
        let version: JSONValue = ["groupVersion": .string("\(name)/v1"), "version": "v1"]
        return [
            "name": .string(name), "versions": .array([version]), "preferredVersion": version,
        ]
    }

    private static func resources(_ group: String, _ version: String) -> APIResponse? {
        let kinds = kinds.filter { $0.group == group && $0.version == version }
        guard !kinds.isEmpty else { return nil }
        let list = kinds.flatMap { kind in
            let verbs = [
                "create", "delete", "get", "list", "patch", "update", "watch",
            ]
            var resource = entry(
                kind.plural, kind, kind == reviews ? ["create"] : verbs)
            resource["singularName"] = .string(kind.kind.lowercased())
            if !kind.shortNames.isEmpty {
                resource["shortNames"] = .array(kind.shortNames.map { .string($0) })
            }
            return kind.hasStatus
                ? [resource, entry("\(kind.plural)/status", kind, ["get", "patch", "update"])]
                : [resource]
        }
        return .object(
            200,
            [
                "kind": "APIResourceList", "apiVersion": "v1",
                "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"),
                "resources": .array(list),
            ])
    }

    private static func entry(_ name: String, _ kind: ResourceKind, _ verbs: [String]) -> JSONValue
    {
        [
            "name": .string(name), "singularName": "", "namespaced": .bool(kind.isNamespaced),
            "kind": .string(kind.kind), "verbs": .array(verbs.map { .string($0) }),
        ]
    }
}
