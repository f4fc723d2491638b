package import FoundationEssentials
import WatchEngine

// A recording is text with bytes in it. Its first line is a ``RecordingHeader``; each further line is a
// ``RecordingLine``, and one with `body` is followed by so many bytes as they came, and a line break.
// What was cut off is still good up to its last whole piece.

/// The first line of a recording.
package struct RecordingHeader: Codable, Sendable {
    /// Version of the form.
    package var plimsollRecording = Self.currentVersion
    /// When it began, RFC 3339 in UTC.
    package var began: String
    /// What the cluster is called.
    package var cluster: String
    /// What is listed and watched: "/api/v1/nodes".
    package var path: String
    /// What recorded it.
    package var program: String
    /// The names in it are not those of the cluster.
    package var isAnonymised: Bool

    package static let currentVersion = 1
    private static let timeFormat = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    package init(began: Date, cluster: String, path: String, program: String, isAnonymised: Bool) {
        self.began = began.formatted(Self.timeFormat)
        self.cluster = cluster
        self.path = path
        self.program = program
        self.isAnonymised = isAnonymised
    }

    /// When it began.
    package var beganAt: Date {
        (try? Date(began, strategy: Self.timeFormat)) ?? Date(timeIntervalSince1970: 0)
    }
}

/// A further line of a recording: one of these happened.
struct RecordingLine: Codable {
    /// Seconds since the recording began.
    var at: Double
    /// A request: its path and query, and what it accepts.
    var open: String?
    var accept: String?
    /// A response's head.
    var head: Head?
    /// So many bytes of its body follow.
    var body: Int?
    /// It ended in good order.
    var end: Bool?
    /// It failed, or never began: a ``plm_failure_kind`` by name.
    var failure: String?
    var message: String?

    struct Head: Codable {
        var status: Int
        var contentType: String
        /// In seconds.
        var retryAfter: Int?
    }
}

/// What happened.
package enum RecordingPiece: Sendable {
    case open(target: String, accept: String)
    case head(status: Int, contentType: String, retryAfter: Int?)
    case body([UInt8])
    case end
    /// A ``plm_failure_kind`` by name.
    case failure(String, message: String)
}

extension plm_failure_kind {
    private static let names: [(plm_failure_kind, String)] = [
        (.cancelled, "cancelled"), (.resolve, "resolve"), (.connect, "connect"), (.tls, "tls"),
        (.certificate, "certificate"), (.credentials, "credentials"), (.transport, "transport"),
        (.timeout, "timeout"), (.contentType, "contentType"), (.syntax, "syntax"),
        (.truncated, "truncated"), (.limit, "limit"), (.memory, "memory"), (.request, "request"),
    ]

    /// As recordings call it.
    var recordedName: String { Self.names.first { $0.0 == self }?.1 ?? "transport" }

    /// By such a name.
    init?(recordedName name: String) {
        guard let kind = Self.names.first(where: { $0.1 == name })?.0 else { return nil }
        self = kind
    }
}
