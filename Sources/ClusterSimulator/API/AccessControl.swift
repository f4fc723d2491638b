import NIOHTTP1
import ObjectEncoding

/// Who asks, and what that user may do.
struct AccessControl: Sendable {
    enum User: Sendable {
        /// May do everything.
        case admin
        /// May get, list and watch nodes: what a watcher of nodes needs.
        case reader
        /// May do nothing.
        case nobody(String)

        var name: String {
            switch self {
            case .admin: "simulated-admin"
            case .reader: "reader"
            case .nobody(let name): name
            }
        }

        func may(_ verb: String, _ resource: String) -> Bool {
            switch self {
            case .admin: true
            case .reader: resource == "nodes" && ["get", "list", "watch"].contains(verb)
            case .nobody: false
            }
        }
    }

    let options: SimulatorServer.Options

    func user(of request: APIRequest) -> User? {
        let user: User
        if let name = request.certificateUser {
            user = self.user(named: name)
        } else {
            switch request.bearerToken {
            case options.token: user = .admin
            case options.readerToken: user = .reader
            case options.viewerToken: user = .nobody("viewer")
            default: return nil
            }
        }
        guard let name = request.impersonatedUser, case .admin = user else { return user }
        return self.user(named: name)
    }

    private func user(named name: String) -> User {
        if name == options.adminUser { return .admin }
        return name == User.reader.name ? .reader : .nobody(name)
    }

    /// The refusal, where the user may not do what the request asks.
    func refusal(_ request: APIRequest, _ path: ResourcePath, _ user: User) -> StatusBody? {
        let verb = Self.verb(request, path)
        guard !user.may(verb, path.kind.plural) else { return nil }
        let name = path.name.map { " \"\($0)\"" } ?? ""
        let resource = path.kind.plural + (path.subresource.map { "/\($0)" } ?? "")
        let place =
            path.namespace.isEmpty
            ? "at the cluster scope" : "in the namespace \"\(path.namespace)\""
        return StatusBody(
            code: 403, reason: "Forbidden",
            message: "\(path.kind.qualifiedName)\(name) is forbidden: User \"\(user.name)\" cannot "
                + "\(verb) resource \"\(resource)\" in API group \"\(path.kind.group)\" \(place)",
            kind: path.kind.plural, name: path.name ?? "", group: path.kind.group)
    }

    private static func verb(_ request: APIRequest, _ path: ResourcePath) -> String {
        switch request.method {
        case .POST: "create"
        case .PUT: "update"
        case .PATCH: "patch"
        case .DELETE: path.name == nil ? "deletecollection" : "delete"
        default: path.name != nil ? "get" : request.isWatch ? "watch" : "list"
        }
    }

    /// Answers a SelfSubjectAccessReview.
    func review(_ request: APIRequest, _ user: User) -> APIResponse {
        guard
            var review = ProtobufReview.document(request.body)
                ?? (try? JSONValue(parsing: request.body)), review.object != nil
        else {
            return .status(.badRequest("the body is no SelfSubjectAccessReview"))
        }
        let asked = review["spec", "resourceAttributes"]
        let subresource = asked?["subresource"]?.string ?? ""
        let isAllowed = user.may(
            asked?["verb"]?.string ?? "",
            (asked?["resource"]?.string ?? "") + (subresource.isEmpty ? "" : "/\(subresource)"))
        var status: JSONValue = ["allowed": .bool(isAllowed)]
        if isAllowed { status["reason"] = "granted by the simulation" }
        review["kind"] = "SelfSubjectAccessReview"
        review["apiVersion"] = "authorization.k8s.io/v1"
        var managers = FieldManagers(of: .null)
        managers.update(
            from: [:], to: review,
            by: .init(
                manager: request.fieldManager, apiVersion: "authorization.k8s.io/v1",
                kind: "SelfSubjectAccessReview"))
        review["metadata"] = ["managedFields": managers.json]
        review["status"] = status
        return .object(201, review)
    }
}
