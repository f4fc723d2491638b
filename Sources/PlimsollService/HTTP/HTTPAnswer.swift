/// What is asked of an ``HTTPServer``. Bodies are not read: nothing here takes one.
public struct HTTPRequest: Sendable {
    /// Without the query: "/metrics".
    public var path: String
    /// Texts after the question mark, by name and still encoded; a name alone has an empty text.
    public var query: [String: String]
    /// What the client would like to get.
    public var accept: String
    /// Who the client says it is.
    var authorization = ""

    /// A request for a path, as it stands in a request line.
    public init(_ target: String, accept: String = "") {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        self.accept = accept
        query = [:]
        for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let words = pair.split(separator: "=", maxSplits: 1)
            query[String(words.first ?? "")] = words.count > 1 ? String(words[1]) : ""
        }
    }
}

/// What an ``HTTPServer`` answers.
public struct HTTPAnswer: Sendable {
    /// The bytes of an answer.
    public enum Body: Sendable {
        /// All of them.
        case bytes([UInt8])
        /// Events (of the kind `text/event-stream`) as they come, each whole, until the sequence ends or
        /// the client is gone.
        case events(AsyncStream<String>)
        /// An answer that takes a while to make: no such answer again.
        case later(@Sendable () async -> HTTPAnswer)
    }

    /// 200.
    public var status: Int
    /// "text/plain; charset=utf-8".
    public var contentType: String
    /// Further headers.
    public var headers: [(name: String, value: String)] = []
    /// What follows the headers.
    public var body: Body

    /// An answer of some bytes.
    public init(_ status: Int, _ contentType: String, bytes: [UInt8]) {
        self.status = status
        self.contentType = contentType
        body = .bytes(bytes)
    }

    /// An answer of text, plain unless said otherwise.
    public init(
        _ status: Int, _ text: String, contentType: String = "text/plain; charset=utf-8"
    ) {
        self.init(status, contentType, bytes: Array(text.utf8))
    }

    /// An answer that takes a while to make.
    public init(later: @escaping @Sendable () async -> HTTPAnswer) {
        status = 200
        contentType = ""
        body = .later(later)
    }

    /// Events as they come.
    public init(events: AsyncStream<String>) {
        status = 200
        contentType = "text/event-stream"
        body = .events(events)
    }
}

/// The first of several that knows a path answers.
public struct HTTPRoutes: Sendable {
    /// Nil for what it does not serve. It must not block.
    public typealias Route = @Sendable (HTTPRequest) -> HTTPAnswer?

    private let routes: [Route]
    /// The paths that there are, for who asks for another.
    private let paths: [String]

    /// Some routes, and the paths that they serve.
    public init(_ routes: [Route], paths: [String]) {
        self.routes = routes
        self.paths = paths
    }

    func answer(_ request: HTTPRequest) -> HTTPAnswer {
        for route in routes {
            if let answer = route(request) { return answer }
        }
        return HTTPAnswer(404, "there are \(paths.joined(separator: ", "))\n")
    }
}
