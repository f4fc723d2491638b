import ObjectEncoding

/// How an answer is written.
enum WireFormat: Sendable {
    case json, protobuf

    private static let protobufType = "application/vnd.kubernetes.protobuf"

    /// The first of a client's choices that is to be had; nil where none is.
    init?(accept: String) {
        if accept.isEmpty {
            self = .json
            return
        }
        for choice in accept.split(separator: ",") {
            let type = choice.split(separator: ";")[0].trimmingSpaces()
            switch type {
            case Self.protobufType where !choice.contains("as="): self = .protobuf
            case "application/json", "application/*", "*/*": self = .json
            default: continue
            }
            return
        }
        return nil
    }

    var contentType: String {
        switch self {
        case .json: "application/json"
        case .protobuf: Self.protobufType
        }
    }

    /// What a watch is asked for by.
    var streamContentType: String { contentType + ";stream=watch" }

    /// What a watch says that it is.
    var watchContentType: String { self == .json ? contentType : streamContentType }

    /// An answer in this format; what has no form but JSON stays as it is.
    func write(_ response: APIResponse) -> APIResponse {
        guard self == .protobuf, case .whole(let status, _, let bytes, let headers) = response,
            let object = try? JSONValue(parsing: bytes)
        else { return response }
        var text = ProtobufText()
        guard text.body(object) else { return response }
        return .whole(status, contentType, text.bytes, headers: headers)
    }
}

extension Substring {
    func trimmingSpaces() -> Substring {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
