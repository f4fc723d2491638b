package import ClusterSimulator

/// Where a history takes place: a cluster, and a client on the other end of a path to it.
package protocol Scene: AnyObject {
    var cluster: Cluster { get }
    /// What is to go wrong with the next requests.
    var faults: Faults { get }
    /// What is wrong with the path.
    var path: Path { get set }
    /// Whether something could come to the client now.
    var hasStream: Bool { get }
    var log: Log { get }
    /// The server takes no further requests over connections that are open.
    func goAway()
}

/// The path between client and server. Times are those of the history.
package struct Path: Sendable {
    /// Connections are refused until then.
    package var downUntil = Duration.zero
    /// Nothing comes through until then.
    package var stalledUntil = Duration.zero
    /// The connection breaks after so many more bytes.
    package var cutAfter: Int?
    /// So many bytes come a few at a time.
    package var crumbs = 0
    /// Nothing comes through any more, to those who are connected.
    package var isDead = false
    /// The client has to begin with new certificates at its next request.
    package var renewsEngine = false
    /// The client ends and begins with what it had kept.
    package var restartsClient = false

    package init() {}
}
