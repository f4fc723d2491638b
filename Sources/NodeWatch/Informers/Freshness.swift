/// How fresh an informer's view is, and why it may not be.
public struct Freshness: Sendable {
    /// What the informer is about.
    public enum State: String, Sendable, Hashable {
        /// It does not run yet.
        case idle
        /// A request is on its way.
        case connecting
        /// A list comes in.
        case listing
        /// A watch is open.
        case watching
        /// Something went wrong; it is tried again after a while.
        case waiting
        /// It does not run any more.
        case stopped
    }

    /// What it is about.
    public var state: State
    /// Whether a whole list has been seen.
    public var hasSynced: Bool
    /// Where the view is; nil before the first list.
    public var resourceVersion: String?
    /// Since anything at all came from the server; nil where nothing did.
    public var sinceLastByte: Duration?
    /// Since an object's change, or a heartbeat, came.
    public var sinceLastEvent: Duration?
    /// Since a bookmark came. Servers send one about once a minute.
    public var sinceLastBookmark: Duration?
    /// Why the last stream ended, and how long ago.
    public var lastDisconnect: (reason: String, ago: Duration)?
    /// Since the informer's thread last did something, be it to find that nothing came.
    public var sinceSignOfLife: Duration?

    /// Whether the view can be relied on.
    ///
    /// - Parameter limit: For so long a server may say nothing. Kubernetes' bookmarks come about once
    ///   a minute: twice that and some more is a good limit.
    /// - Returns: Nil when it can; else why not, in one line.
    public func objection(staleAfter limit: Duration) -> String? {
        func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }
        let cause = lastDisconnect.map { " (\($0.reason), \(seconds($0.ago)) ago)" } ?? ""
        switch state {
        case .idle: return "not started"
        case .stopped: return "stopped"
        case .connecting, .listing, .watching, .waiting: break
        }
        if !hasSynced { return "no whole list yet, \(state.rawValue)" + cause }
        guard let sinceLastByte else { return "nothing from the server yet" + cause }
        guard sinceLastByte > limit else { return nil }
        return "nothing from the server for \(seconds(sinceLastByte)), over the limit of "
            + "\(seconds(limit)); \(state.rawValue)" + cause
    }
}

/// What the stream's thread notes for ``Freshness``.
struct FreshnessRecord: Sendable {
    var state = Freshness.State.idle
    var lastByte: ContinuousClock.Instant?
    var lastEvent: ContinuousClock.Instant?
    var lastBookmark: ContinuousClock.Instant?
    var lastDisconnect: (reason: String, time: ContinuousClock.Instant)?
    var lastSign: ContinuousClock.Instant?
    /// Where the seconds of a table's entries count from.
    var epoch: ContinuousClock.Instant?

    func freshness(hasSynced: Bool, resourceVersion: String?) -> Freshness {
        let now = ContinuousClock.now
        return Freshness(
            state: state, hasSynced: hasSynced, resourceVersion: resourceVersion,
            sinceLastByte: lastByte.map { now - $0 }, sinceLastEvent: lastEvent.map { now - $0 },
            sinceLastBookmark: lastBookmark.map { now - $0 },
            lastDisconnect: lastDisconnect.map { ($0.reason, now - $0.time) },
            sinceSignOfLife: lastSign.map { now - $0 })
    }
}
