import NIOCore
import NIOHTTP1

/// The simulated API server: who asks, for what, and who answers it.
final class APIServer: RequestResponder {
    let access: AccessControl
    private let nodes: NodeEndpoint
    private let objects: ObjectEndpoint

    init(
        _ cluster: Cluster, _ store: ObjectStore, _ options: SimulatorServer.Options,
        _ faults: Faults
    ) {
        access = AccessControl(options: options)
        nodes = NodeEndpoint(cluster, options, faults)
        objects = ObjectEndpoint(store, cluster, options)
    }

    func respond(to request: APIRequest, on eventLoop: any EventLoop) -> APIResponse {
        let format = WireFormat(accept: request.accept)
        let response = answer(request, isAcceptable: format != nil, on: eventLoop)
        return (format ?? .json).write(response)
    }

    private func answer(
        _ request: APIRequest, isAcceptable: Bool, on eventLoop: any EventLoop
    ) -> APIResponse {
        guard let user = access.user(of: request) else { return .status(.unauthorized) }
        guard isAcceptable else { return Self.notAcceptable }
        if let answer = Discovery.answer(request.path) {
            return request.method == .GET ? answer : .status(.methodNotAllowed())
        }
        if let answer = OpenAPI.answer(request.path) { return answer }
        if request.path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            request.method == .POST
        {
            return access.review(request, user)
        }
        guard let path = ResourcePath(request.path) else { return .status(.noSuchResource) }
        if let refusal = access.refusal(request, path, user) { return .status(refusal) }
        if request.method == .GET {
            return path.kind == .nodes
                ? nodes.respond(to: request, path.name, on: eventLoop)
                : objects.respond(to: request, path, on: eventLoop)
        }
        let repository: any ObjectRepository =
            path.kind == .nodes ? nodes.cluster : objects.repository(of: path.kind)
        return ObjectWriter(kind: path.kind, repository: repository, request: request, path: path)
            .respond()
    }

    private static let notAcceptable = APIResponse.status(
        StatusBody(
            code: 406, reason: "NotAcceptable",
            message: "406: Not Acceptable\n\nAvailable representations: "
                + [
                    WireFormat.json.contentType, WireFormat.protobuf.contentType,
                    WireFormat.json.streamContentType, WireFormat.protobuf.streamContentType,
                ]
                .joined(separator: ", "),
            alwaysHasDetails: true))
}
