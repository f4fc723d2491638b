import Synchronization

/// Faults that wait for the next requests for nodes, in order.
public final class Faults: Sendable {
    /// What goes wrong with one request.
    public enum Fault: Sendable {
        /// An error status, with Retry-After in seconds where given.
        case status(Int, retryAfter: Int? = nil)
        /// A page for people, as a proxy in between sends it.
        case html
        /// Nothing comes back.
        case hang
        /// The connection closes at once.
        case close
        /// The body breaks off after so many bytes, and with it the connection.
        case truncate(afterBytes: Int)
        /// The same by a reset of the connection.
        case reset(afterBytes: Int)
        /// After so many bytes nothing comes any more, and the connection stays.
        case stall(afterBytes: Int)
        /// The body comes so slowly.
        case drip(bytesPerSecond: Int)
        /// A watch tells every event twice.
        case duplicates
        /// A watch is answered, and its first event is an ERROR with this code, with retryAfterSeconds where
        /// given.
        case event(Int, retryAfter: Int? = nil)
        /// A streaming list whose end is never told.
        case missingEndBookmark
        /// The answer is in JSON, whatever was asked for first.
        case json
        /// The answer is of the right type, and no more than that.
        case garbage

        /// As written by a person: "status=503", "truncate=1000", "html".
        package init?(_ text: String) {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let numbers = parts.count > 1 ? parts[1].split(separator: ",").map { Int($0) } : []
            switch (parts.first, numbers.count) {
            case ("status", 1...2), ("event", 1...2):
                guard let code = numbers[0], (200...599).contains(code) else { return nil }
                let retryAfter = numbers.count > 1 ? numbers[1] : nil
                self =
                    parts[0] == "status"
                    ? .status(code, retryAfter: retryAfter) : .event(code, retryAfter: retryAfter)
            case ("truncate", 1), ("reset", 1), ("stall", 1), ("drip", 1):
                guard let bytes = numbers[0], bytes >= 0 else { return nil }
                switch parts[0] {
                case "truncate": self = .truncate(afterBytes: bytes)
                case "reset": self = .reset(afterBytes: bytes)
                case "stall": self = .stall(afterBytes: bytes)
                default: self = .drip(bytesPerSecond: bytes)
                }
            case ("duplicates", 0): self = .duplicates
            case ("html", 0): self = .html
            case ("hang", 0): self = .hang
            case ("close", 0): self = .close
            case ("json", 0): self = .json
            case ("garbage", 0): self = .garbage
            case ("no-end-bookmark", 0): self = .missingEndBookmark
            default: return nil
            }
        }
    }

    /// Which requests.
    public enum Target: String, Sendable {
        case any, list, watch
    }

    private let waiting = Mutex<[(Target, Fault)]>([])

    init() {}

    /// Adds a fault for the next request it applies to.
    public func add(_ fault: Fault, to target: Target = .any, count: Int = 1) {
        waiting.withLock { waiting in
            for _ in 0..<count { waiting.append((target, fault)) }
        }
    }

    /// How many wait.
    package var count: Int { waiting.withLock { $0.count } }

    /// Forgets the faults that wait.
    public func clear() { waiting.withLock { $0 = [] } }

    func take(isWatch: Bool) -> Fault? {
        waiting.withLock { waiting in
            let index = waiting.firstIndex { target, _ in
                switch target {
                case .any: true
                case .list: !isWatch
                case .watch: isWatch
                }
            }
            return index.map { waiting.remove(at: $0).1 }
        }
    }

    static func reason(_ code: Int) -> String {
        switch code {
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "NotFound"
        case 410: "Expired"
        case 429: "TooManyRequests"
        case 500: "InternalError"
        case 503: "ServiceUnavailable"
        case 504: "Timeout"
        default: ""
        }
    }
}
