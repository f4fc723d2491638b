import NIOCore
import Synchronization

/// The body of a watch: initial events where they are asked for, then what happens.
final class WatchProducer: BodyProducer {
    struct Request: Sendable {
        var format: NodeFormat
        var selector: NodeSelector
        /// Nil: send the nodes that are there first.
        var after: Int?
        /// With initial events: tell their end by a bookmark.
        var endsInitialEvents = false
        var allowsBookmarks = false
        var timeout: Duration
        var bookmarkInterval: Duration
    }

    /// Events that wait for a client that does not read: beyond that it is cut off, as an API server
    /// does with slow watchers.
    private static let queueLimit = 100_000

    private struct Queue {
        var notices: [Cluster.Notice] = []
        var taken = 0
        var isOverflowing = false
        var bookmarkIsDue = false
        var isTimeUp = false
        var wake: (@Sendable () -> Void)?

        mutating func popFirst() -> Cluster.Notice? {
            if isOverflowing { return .cut }
            guard taken < notices.count else { return nil }
            let notice = notices[taken]
            taken += 1
            if taken == notices.count {
                notices.removeAll(keepingCapacity: notices.count < 1024)
                taken = 0
            } else if taken > 4096 {
                notices.removeFirst(taken)
                taken = 0
            }
            return notice
        }
    }

    private let cluster: Cluster
    private let request: Request
    private let eventLoop: any EventLoop
    private let queue = Mutex(Queue())

    // SAFETY: the rest is used on one event loop only.
    nonisolated(unsafe) private var watcher: Int?
    nonisolated(unsafe) private var initial: ArraySlice<SimulatedNode> = []
    nonisolated(unsafe) private var endBookmark: Int?
    nonisolated(unsafe) private var resourceVersion = 0
    nonisolated(unsafe) private var isOver = false
    nonisolated(unsafe) private var timers: [Scheduled<Void>] = []
    nonisolated(unsafe) private var repeated: RepeatedTask?
    nonisolated(unsafe) private var openingError: StatusBody?

    init(_ cluster: Cluster, _ request: Request, on eventLoop: any EventLoop) {
        self.cluster = cluster
        self.request = request
        self.eventLoop = eventLoop
    }

    func start(wake: @escaping @Sendable () -> Void) {
        queue.withLock { $0.wake = wake }
        let notify: @Sendable (Cluster.Notice) -> Void = { [weak self] in self?.enqueue($0) }
        if let after = request.after {
            resourceVersion = after
            do {
                watcher = try cluster.watch(after: after, notify)
            } catch {
                openingError = .expired(after, current: error.current)
            }
        } else {
            let now = cluster.watchFromNow(notify)
            watcher = now.watcher
            resourceVersion = now.resourceVersion
            let selector = request.selector
            initial =
                selector.selectsAll
                ? now.nodes[...]
                : now.nodes.filter { [cluster] in
                    selector.matches($0, cluster.encoder(of: $0).profile)
                }[...]
            if request.endsInitialEvents { endBookmark = now.resourceVersion }
        }
        timers.append(
            eventLoop.scheduleTask(in: TimeAmount(request.timeout)) { [weak self] in
                self?.mark { $0.isTimeUp = true }
            })
        if request.allowsBookmarks {
            let interval = TimeAmount(request.bookmarkInterval)
            repeated = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) {
                [weak self] _ in self?.mark { $0.bookmarkIsDue = true }
            }
        }
    }

    func stop() {
        isOver = true
        if let watcher { cluster.stopWatching(watcher) }
        watcher = nil
        timers.forEach { $0.cancel() }
        repeated?.cancel()
        queue.withLock {
            $0.wake = nil
            $0.notices = []
            $0.taken = 0
        }
    }

    func next() -> BodyPiece {
        if isOver { return .end }
        if let openingError {
            self.openingError = nil
            isOver = true
            return .bytes(errorEvent(openingError))
        }
        if let node = initial.popFirst() { return .bytes(event("ADDED", node)) }
        if let version = endBookmark {
            endBookmark = nil
            return .bytes(bookmark(version, isEnd: true))
        }
        return nextLive()
    }

    // MARK: Live events

    private func nextLive() -> BodyPiece {
        while true {
            // Taken before the queue is looked at: all events up to it are in the queue by now, so
            // a bookmark for it never runs ahead of an event.
            let current = cluster.resourceVersion
            let (notice, bookmarkIsDue, isTimeUp) = queue.withLock { queue in
                let state = (queue.popFirst(), queue.bookmarkIsDue, queue.isTimeUp)
                queue.bookmarkIsDue = false
                return state
            }
            switch notice {
            case .event(let event):
                if bookmarkIsDue { mark { $0.bookmarkIsDue = true } }
                resourceVersion = event.resourceVersion
                if let bytes = encode(event) { return .bytes(bytes) }
            case .expired:
                isOver = true
                return .bytes(
                    errorEvent(.expired(resourceVersion, current: cluster.resourceVersion)))
            case .cut: return .cut
            case nil:
                if bookmarkIsDue || (isTimeUp && request.allowsBookmarks && !isOver) {
                    if isTimeUp { isOver = true }
                    return .bytes(bookmark(max(resourceVersion, current)))
                }
                return isTimeUp ? .end : .wait
            }
        }
    }

    private func enqueue(_ notice: Cluster.Notice) {
        mark { queue in
            if queue.notices.count - queue.taken >= Self.queueLimit {
                queue.isOverflowing = true
                queue.notices = []
                queue.taken = 0
            }
            if !queue.isOverflowing { queue.notices.append(notice) }
        }
    }

    private func mark(_ change: (inout Queue) -> Void) {
        let wake = queue.withLock { queue in
            change(&queue)
            return queue.wake
        }
        wake?()
    }

    /// The event as this watch sees it: a node that enters its selector is added, one that leaves it
    /// is deleted.
    private func encode(_ event: Cluster.Event) -> [UInt8]? {
        let isSelected = matches(event.node)
        let wasSelected = event.previous.map(matches) ?? false
        switch event.type {
        case .added: return isSelected ? self.event("ADDED", event.node) : nil
        case .deleted: return wasSelected ? self.event("DELETED", event.node) : nil
        case .modified:
            switch (wasSelected, isSelected) {
            case (true, true): return self.event("MODIFIED", event.node)
            case (false, true): return self.event("ADDED", event.node)
            case (true, false): return self.event("DELETED", event.node)
            case (false, false): return nil
            }
        }
    }

    private func matches(_ node: SimulatedNode) -> Bool {
        request.selector.selectsAll
            || request.selector.matches(node, cluster.encoder(of: node).profile)
    }

    private func event(_ type: String, _ node: SimulatedNode) -> [UInt8] {
        var json = JSONText()
        json.bytes.reserveCapacity(24 * 1024)
        json.raw("{\"type\":\"\(type)\",\"object\":")
        request.format.appendObject(node, cluster, to: &json)
        json.raw("}\n")
        return json.bytes
    }

    private func errorEvent(_ status: StatusBody) -> [UInt8] {
        var json = JSONText()
        json.raw("{\"type\":\"ERROR\",\"object\":")
        json.raw(status.json.bytes)
        json.raw("}\n")
        return json.bytes
    }

    private func bookmark(_ version: Int, isEnd: Bool = false) -> [UInt8] {
        var json = JSONText()
        json.raw("{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Node\",\"apiVersion\":\"v1\",")
        json.raw("\"metadata\":{\"resourceVersion\":\"\(version)\"")
        if isEnd { json.raw(",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}") }
        json.raw(
            "},\"spec\":{},\"status\":{\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":0}},")
        json.raw("\"nodeInfo\":{\"machineID\":\"\",\"systemUUID\":\"\",\"bootID\":\"\",")
        json.raw("\"kernelVersion\":\"\",\"osImage\":\"\",\"containerRuntimeVersion\":\"\",")
        json.raw("\"kubeletVersion\":\"\",\"kubeProxyVersion\":\"\",\"operatingSystem\":\"\",")
        json.raw("\"architecture\":\"\"}}}}\n")
        return json.bytes
    }
}
