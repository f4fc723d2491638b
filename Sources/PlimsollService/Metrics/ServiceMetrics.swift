public import ImageAlerts
public import NodeWatch

/// `/metrics`: the watch, the nodes, alerts, sinks and the process.
public struct ServiceMetrics: Sendable {
    /// With more nodes than this none has series of its own, unless said otherwise.
    public static let usualNodeLimit = 500

    private let informer: SharedNodeInformer
    private let counters: ServiceCounters
    private let cap: ImageListCap.Setting
    private let nodeLimit: Int
    private let version: String
    private let isLeading: (@Sendable () -> Bool)?
    private let waiting: @Sendable () -> [(sink: String, alerts: Int)]

    /// - Parameters:
    ///   - informer: Of the nodes.
    ///   - counters: Of alerts and sinks.
    ///   - cap: How long lists of images can be.
    ///   - nodeLimit: With more nodes none has series of its own.
    ///   - version: Of the program.
    ///   - isLeading: Whether this process, one of several, tells alerts; nil: it is the only one.
    ///   - waiting: How many alerts wait for each sink. It must not block.
    public init(
        _ informer: SharedNodeInformer, _ counters: ServiceCounters, cap: ImageListCap.Setting,
        nodeLimit: Int, version: String, isLeading: (@Sendable () -> Bool)? = nil,
        waiting: @escaping @Sendable () -> [(sink: String, alerts: Int)]
    ) {
        self.informer = informer
        self.counters = counters
        self.cap = cap
        self.nodeLimit = nodeLimit
        self.version = version
        self.isLeading = isLeading
        self.waiting = waiting
    }

    /// The answer to a request; nil for another path.
    public func answer(_ request: HTTPRequest) -> HTTPAnswer? {
        guard request.path == "/metrics" else { return nil }
        let format = MetricsText.Format(accept: request.accept)
        return HTTPAnswer(200, format.contentType, bytes: bytes(format))
    }

    func bytes(_ format: MetricsText.Format) -> [UInt8] {
        var text = MetricsText(format)
        text.family("plimsoll_build_info", .gauge, "The version that runs.")
        text.sample(1, [("version", version)])
        writeWatch(to: &text)
        let nodes = informer.store.nodes
        NodeMetrics(nodes, cap: ImageListCap(cap, knowing: nodes), limit: nodeLimit).write(
            to: &text)
        if let isLeading {
            text.single(
                "plimsoll_leading", .gauge, "Whether this replica tells alerts; else it stands by.",
                isLeading() ? 1 : 0)
        }
        counters.write(to: &text, waiting: waiting())
        ProcessMetrics.write(to: &text)
        return text.bytes
    }

    private func writeWatch(to text: inout MetricsText) {
        let (counts, freshness) = (informer.statistics, informer.freshness)
        text.single(
            "plimsoll_watch_synced", .gauge, "Whether a whole list of nodes has been seen.",
            freshness.hasSynced ? 1 : 0)
        if let silence = freshness.sinceLastByte {
            text.single(
                "plimsoll_watch_silence_seconds", .gauge,
                "Since anything came from the server. Bookmarks come about once a minute.",
                silence / .seconds(1))
        }
        text.single(
            "plimsoll_watch_received_bytes", .counter, "Bytes of bodies received.", counts.bytes)
        text.single(
            "plimsoll_watch_events", .counter,
            "Watch events and items of lists, heartbeats and bookmarks included.", counts.events)
        text.single(
            "plimsoll_watch_heartbeats", .counter,
            "Events that said nothing but that a node is alive.", counts.heartbeats)
        text.single(
            "plimsoll_watch_rejected_objects", .counter, "Objects that could not be used.",
            counts.rejected)
        text.single(
            "plimsoll_watch_reconnects", .counter,
            "Streams opened because one had ended or failed.",
            counts.reconnects)
        text.single("plimsoll_watch_relists", .counter, "Lists after the first.", counts.relists)
        text.single(
            "plimsoll_watch_silences", .counter,
            "How often the server was silent for too long, and was asked whether it is there.",
            counts.silences)
        text.single(
            "plimsoll_watch_rewinds", .counter,
            "How often the server had gone back to an earlier state.", counts.rewinds)
        if let sync = counts.initialSync {
            text.single(
                "plimsoll_initial_list_seconds", .gauge, "How long the first list took.",
                sync.duration / .seconds(1))
        }
    }
}
