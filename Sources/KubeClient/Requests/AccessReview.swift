/// Whether we may do something, as the server says.
public struct AccessReview: Sendable, Hashable {
    /// Whether we may.
    public var isAllowed: Bool
    /// Why, or why not; often "".
    public var reason: String
}

extension KubeClient {
    /// Asks the server whether we may do something (SelfSubjectAccessReview). Anybody may ask.
    ///
    /// - Parameters:
    ///   - verb: "watch".
    ///   - type: With what.
    ///   - subresource: "status"; "" for the object itself.
    ///   - namespace: Where; "" for all, and for types without namespaces.
    /// - Throws: As ``ResourceClient``.
    public func access(
        to verb: String, _ type: ResourceType, subresource: String = "", in namespace: String = ""
    ) async throws(KubeError) -> AccessReview {
        var attributes: JSONValue = [
            "verb": .string(verb), "group": .string(type.group), "resource": .string(type.plural),
        ]
        if !namespace.isEmpty { attributes["namespace"] = .string(namespace) }
        if !subresource.isEmpty { attributes["subresource"] = .string(subresource) }
        let review = KubeObject([
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": ["resourceAttributes": attributes],
        ])
        let reviews = ResourceType(
            group: "authorization.k8s.io", plural: "selfsubjectaccessreviews",
            kind: "SelfSubjectAccessReview", isNamespaced: false)
        let answer = try await resources(reviews).create(review)
        return AccessReview(
            isAllowed: answer.json["status", "allowed"]?.bool ?? false,
            reason: answer.json["status", "reason"]?.string ?? "")
    }
}
