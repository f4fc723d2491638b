/// How objects come over the wire.
public enum WireFormat: String, Sendable, Hashable, CaseIterable {
    /// Protobuf where the server offers it, else JSON; what each response turns out to be in is read.
    case automatic = "auto"
    case json
    /// Kubernetes' own framing of protobuf, for the built-in kinds only. It is smaller, and costs the
    /// API server a fraction of what JSON does.
    case protobuf

    /// What to ask for. A watch is negotiated by a type of its own.
    package func accept(isWatch: Bool) -> String {
        let protobuf = "application/vnd.kubernetes.protobuf" + (isWatch ? ";stream=watch" : "")
        return switch self {
        case .automatic: protobuf + ",application/json"
        case .json: "application/json"
        case .protobuf: protobuf
        }
    }

    /// What a response says that it is.
    package init?(contentType: String) {
        if contentType.contains("vnd.kubernetes.protobuf") {
            self = .protobuf
        } else if contentType.contains("json") {
            self = .json
        } else {
            return nil
        }
    }
}
