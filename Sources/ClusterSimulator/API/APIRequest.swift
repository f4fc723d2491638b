import NIOCore
import NIOHTTP1
import ObjectEncoding

/// What a client asks.
struct APIRequest: Sendable {
    var method: HTTPMethod
    var path: String
    var query: [String: String]
    var accept: String
    var contentType: String
    var userAgent: String
    var bearerToken: String?
    /// Common name of the client's certificate, where it gave one.
    var certificateUser: String?
    /// Whom the user wants to act as.
    var impersonatedUser: String?
    var body: [UInt8]

    /// Whether a parameter is there and says yes.
    func isSet(_ name: String) -> Bool { ["true", "1"].contains(query[name]) }

    /// Whether a list is to be watched.
    var isWatch: Bool { isSet("watch") }

    /// Who owns what this request writes: the parameter, else the client's name.
    var fieldManager: String {
        if let name = query["fieldManager"], !name.isEmpty { return name }
        return userAgent.split(separator: "/").first.map(String.init) ?? "unknown"
    }
}

/// Who answers requests.
protocol RequestResponder: AnyObject, Sendable {
    func respond(to request: APIRequest, on eventLoop: any EventLoop) -> APIResponse
}

/// What it is answered.
enum APIResponse: Sendable {
    case whole(Int, _ contentType: String, [UInt8], headers: [(String, String)] = [])
    case stream(any BodyProducer)
    /// No answer at all.
    case hang
    /// The connection closes without an answer.
    case close

    static func json(_ code: Int, _ bytes: [UInt8], headers: [(String, String)] = [])
        -> APIResponse
    {
        .whole(code, WireFormat.json.contentType, bytes, headers: headers)
    }

    static func html(_ code: Int, _ text: String) -> APIResponse {
        .whole(code, "text/html; charset=utf-8", Array(text.utf8))
    }

    static func status(_ body: StatusBody) -> APIResponse {
        var headers = body.retryAfterSeconds.map { [("Retry-After", "\($0)")] } ?? []
        if body.code == 403 { headers.append(("X-Content-Type-Options", "nosniff")) }
        return .json(body.code, body.json.bytes + [UInt8(ascii: "\n")], headers: headers)
    }

    static func object(_ code: Int, _ object: JSONValue) -> APIResponse {
        var bytes = object.bytes
        bytes.append(UInt8(ascii: "\n"))
        return .json(code, bytes)
    }
}

/// What a path names: `/api/v1/nodes/NAME/status` and the like.
struct ResourcePath: Sendable {
    var kind: ResourceKind
    /// "" for all, and where there is none.
    var namespace = ""
    var name: String?
    var subresource: String?

    init?(_ path: String) {
        var parts = path.split(separator: "/").map(String.init)
        guard let root = parts.first else { return nil }
        parts.removeFirst()
        var group = ""
        if root == "apis", !parts.isEmpty { group = parts.removeFirst() }
        guard root == "api" || root == "apis", parts.count >= 2 else { return nil }
        let version = parts.removeFirst()
        var namespace = ""
        if parts[0] == "namespaces", parts.count > 2,
            ResourceKind.find(group: group, version: version, plural: parts[2]) != nil
        {
            namespace = parts[1]
            parts.removeFirst(2)
        }
        guard let kind = ResourceKind.find(group: group, version: version, plural: parts[0]),
            parts.count <= 3
        else { return nil }
        self.kind = kind
        self.namespace = namespace
        name = parts.count > 1 ? parts[1] : nil
        subresource = parts.count > 2 ? parts[2] : nil
        if let subresource, subresource != "status" || !kind.hasStatus { return nil }
        if kind.isNamespaced, name != nil, namespace.isEmpty { return nil }
    }
}
