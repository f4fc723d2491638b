public import KubeClient

/// What becomes of the connection, for people who watch the watcher.
public enum WatchNotice: Sendable {
    /// A list is coming in: so many objects and bytes of it by now.
    case listing(objects: Int, bytes: Int)
    /// A list is whole and in the store.
    case synced(Sync)
    /// Something went wrong. The store keeps its last good state; what follows is tried after the
    /// delay.
    case problem(KubeError, retryIn: Duration, resumesAt: String?)
    /// The watch goes on where it was interrupted: nothing was missed.
    case resumed(after: Duration)
    /// An object could not be used; its last good state stays. Its name, "" where that is not known.
    case rejected(object: String, reason: String)
    /// A handler threw. It goes on with the next change.
    case handlerFailed(any Error)
    /// What became of the checkpoint.
    case checkpoint(NodeCheckpoint.Notice)

    /// A list that has come in.
    public struct Sync: Sendable, Hashable {
        /// How a list was asked for.
        public enum Kind: String, Sendable, Hashable {
            /// A watch that began with the objects that are there.
            case watchList
            /// One answer.
            case list
            /// Page by page.
            case pagedList
            /// Not at all: a watch goes on from a checkpoint.
            case checkpoint
        }

        /// How it was asked for.
        public var kind: Kind
        /// What it was written in, json or protobuf; of a list of several answers, the last.
        public var wireFormat: WireFormat
        /// Objects in it.
        public var objects: Int
        /// Bytes of body, retries included.
        public var bytes: Int
        /// From the first request to the end of the list.
        public var duration: Duration
        /// Whether it took an earlier list's place.
        public var isRelist: Bool
    }
}

/// Counts since the informer began to run.
public struct WatchStatistics: Sendable, Hashable {
    /// Bytes of body received.
    public var bytes = 0
    /// Watch events and items of lists, bookmarks and heartbeats included.
    public var events = 0
    /// Heartbeats among them: nothing but the resourceVersion had changed.
    public var heartbeats = 0
    /// Objects that could not be used.
    public var rejected = 0
    /// Streams opened after the first, because one had ended or failed.
    public var reconnects = 0
    /// Lists after the first.
    public var relists = 0
    /// How often the server was silent for too long, and was asked whether it is there.
    public var silences = 0
    /// How often the server had gone back to an earlier state, as after a restored backup.
    public var rewinds = 0
    /// What the last response was written in, json or protobuf; nil before the first.
    public var wireFormat: WireFormat?
    /// The first list; nil before it was whole.
    public var initialSync: WatchNotice.Sync?
}

extension WatchNotice.Sync.Kind {
    init(_ kind: Reflector.ListKind) {
        switch kind {
        case .none, .list: self = .list
        case .watchList: self = .watchList
        case .pagedList: self = .pagedList
        }
    }
}
