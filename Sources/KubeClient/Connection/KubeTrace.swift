/// What a client does, for who wants to look on. It holds no secrets: no headers, no bodies, no
/// credentials.
public enum KubeTrace: Sendable, Hashable {
    /// A request is sent. Path and query.
    case request(method: String, target: String)
    /// A small request was answered.
    case answer(
        method: String, target: String, status: Int, bodyBytes: Int, after: Duration)
    /// A list or watch has begun to be answered, in HTTP/1 or 2.
    case stream(target: String, status: Int, httpVersion: Int, after: Duration)
    /// An exec plugin gave a credential.
    case execPlugin(command: String, after: Duration)
}

extension KubeTrace: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        func text(_ duration: Duration) -> String {
            "\(Int(duration / .milliseconds(1))) ms"
        }
        switch self {
        case .request(let method, let target): return "\(method) \(target)"
        case .answer(let method, let target, let status, let bytes, let duration):
            return "\(method) \(target): \(status), \(bytes) bytes in \(text(duration))"
        case .stream(let target, let status, let version, let duration):
            let over = version == 1 ? "" : " over HTTP/\(version)"
            return "GET \(target): \(status)\(over) after \(text(duration))"
        case .execPlugin(let command, let duration):
            return "exec plugin \(command) answered in \(text(duration))"
        }
    }
}
