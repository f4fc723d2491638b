/// Why something could not be done with a cluster, a file about it, or what came from it.
///
/// `description` is one line for people: what failed, where, and what to do. It holds no secrets.
public struct KubeError: Error, Sendable, Hashable {
    /// What kind of failure it is. More may come.
    public struct Code: Sendable, Hashable {
        private let name: String

        private init(_ name: String) { self.name = name }

        /// A kubeconfig is missing, malformed or incomplete.
        public static let configuration = Code("configuration")
        /// A file cannot be read.
        public static let file = Code("file")
        /// The operation was cancelled.
        public static let cancelled = Code("cancelled")
        /// The server's name could not be resolved.
        public static let resolve = Code("resolve")
        /// Nobody answers at the server's address.
        public static let connect = Code("connect")
        /// The TLS handshake failed.
        public static let tls = Code("tls")
        /// The server's certificate is not trusted or names another host.
        public static let certificate = Code("certificate")
        /// A certificate, key or token given by the user cannot be used.
        public static let credentials = Code("credentials")
        /// The connection broke.
        public static let transport = Code("transport")
        /// No answer in time.
        public static let timeout = Code("timeout")
        /// The answer is not that of a kube-apiserver.
        public static let notKubernetes = Code("notKubernetes")
        /// The answer is malformed.
        public static let malformed = Code("malformed")
        /// The answer ended too early.
        public static let truncated = Code("truncated")
        /// Nothing came for too long over a connection that seems to be there.
        public static let silent = Code("silent")
        /// The server has gone back to an earlier state, as after a restored backup.
        public static let rewound = Code("rewound")
        /// The answer is larger than a limit.
        public static let limit = Code("limit")
        /// The server refused: see ``KubeError/status``.
        public static let refused = Code("refused")
        /// Memory is short.
        public static let memory = Code("memory")
        /// The request cannot be made as given.
        public static let request = Code("request")
    }

    /// What kind of failure it is.
    public var code: Code
    /// One line: what failed, where, and the way out.
    public var message: String
    /// libcurl's code (https://curl.se/libcurl/c/libcurl-errors.html); 0 where it was not libcurl.
    public var curlCode = 0
    /// HTTP status of the answer; 0 where none came.
    public var httpStatus = 0
    /// Bytes of body before the fault; nil where the fault is not in a body.
    public var byteOffset: Int?
    /// The server's own words, where it refused.
    public var status: KubeStatus?

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension KubeError {
    /// The server has said no: its words, and what to do about it.
    ///
    /// - Parameters:
    ///   - purpose: "patch node x"; "" where that is clear.
    ///   - permission: What must be granted: "verb patch on nodes".
    package static func refused(
        _ httpStatus: Int, _ status: KubeStatus?, purpose: String = "", permission: String
    ) -> KubeError {
        let remedy =
            switch httpStatus {
            case 401: ". The token or client certificate is not, or no longer, accepted"
            case 403: ". It needs the \(permission)"
            default: ""
            }
        let words = status.map(\.message) ?? ""
        var error = KubeError(
            .refused,
            (purpose.isEmpty ? "" : "cannot \(purpose): ") + "the server says \(httpStatus)"
                + (words.isEmpty ? "" : ": \(words)") + remedy)
        error.httpStatus = httpStatus
        error.status = status
        return error
    }
}

extension KubeError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

/// `metav1.Status`: how a kube-apiserver says that something went wrong.
public struct KubeStatus: Sendable, Hashable {
    /// HTTP-like code (410); 0 where the server gave none.
    public var code: Int
    /// One word for programs ("Expired").
    public var reason: String
    /// One sentence for people.
    public var message: String
    /// `details.causes[0].reason` ("ResourceVersionTooLarge"), if any.
    public var cause: String?
    /// After how long the server wants to be asked again, if it says so.
    public var retryAfter: Duration?

    /// Makes a status.
    public init(
        code: Int, reason: String, message: String, cause: String? = nil,
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.cause = cause
        self.retryAfter = retryAfter
    }
}
