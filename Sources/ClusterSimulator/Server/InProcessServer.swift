import NIOCore
import NIOEmbedded
import NIOHTTP1

/// The simulated API server without sockets, threads or a clock of its own: it is asked by calls, and
/// time is told to it. The same calls give the same bytes.
///
/// Belongs to one thread.
package final class InProcessServer {
    package let cluster: Cluster
    /// What is to go wrong.
    package let faults = Faults()

    private let api: APIServer
    private let token: String
    private let loop = EmbeddedEventLoop()

    package init(_ cluster: Cluster, _ options: SimulatorServer.Options) {
        self.cluster = cluster
        token = options.token
        api = APIServer(cluster, ObjectStore(), options, faults)
    }

    deinit { try? loop.syncShutdownGracefully() }

    /// Time passes: watches end, bookmarks are due.
    package func advance(by duration: Duration) { loop.advanceTime(by: TimeAmount(duration)) }

    /// Somebody with every right gets something.
    ///
    /// - Parameter target: Path and query.
    package func get(_ target: String, accept: String) -> InProcessResponse {
        let (path, query) = RequestTarget.split(target)
        let request = APIRequest(
            method: .GET, path: path, query: query, accept: accept, contentType: "",
            userAgent: "simulation", bearerToken: token, body: [])
        return InProcessResponse(api.respond(to: request, on: loop))
    }
}

/// One response, read piece by piece. Belongs to the server's thread.
package final class InProcessResponse {
    /// What there is to read.
    package enum Piece {
        case bytes([UInt8])
        /// Nothing by now.
        case wait
        /// The body is whole.
        case end
        /// The connection is gone.
        case cut
    }

    /// What came before the body; nil where no answer comes.
    package let head: (status: Int, contentType: String, retryAfterSeconds: Int?)?
    private let producer: (any BodyProducer)?
    private var rest: [Piece]

    init(_ response: APIResponse) {
        switch response {
        case .whole(let status, let contentType, let bytes, let headers):
            let retryAfter = headers.first { $0.0 == "Retry-After" }.flatMap { Int($0.1) }
            head = (status, contentType, retryAfter)
            producer = nil
            rest = [.end, .bytes(bytes)]
        case .stream(let producer):
            head = (200, producer.contentType, nil)
            self.producer = producer
            rest = []
            // Whoever reads asks again and again; nobody need be woken.
            producer.start {}
        case .hang: (head, producer, rest) = (nil, nil, [])
        case .close: (head, producer, rest) = (nil, nil, [.cut])
        }
    }

    deinit { producer?.stop() }

    /// The next piece.
    package func next() -> Piece {
        guard let producer else { return rest.popLast() ?? .wait }
        switch producer.next() {
        case .bytes(let bytes): return .bytes(bytes)
        case .wait: return .wait
        case .end: return .end
        case .cut, .reset: return .cut
        }
    }
}
