import NIOCore
import Synchronization

/// What a watch is served from: the objects of one resource that a request selects.
struct WatchFeed<Object: Versioned>: Sendable {
    typealias Notify = History<Object>.Notify

    /// The latest resourceVersion.
    var resourceVersion: @Sendable () -> Int
    /// Starts after a resourceVersion.
    var watchAfter: @Sendable (Int, @escaping Notify) -> Result<Int, HistoryExpired>
    /// Starts at the present, with the objects that are there.
    var watchFromNow:
        @Sendable (@escaping Notify) -> (watcher: Int, objects: [Object], resourceVersion: Int)
    var stopWatching: @Sendable (Int) -> Void
    /// Whether the request selects an object.
    var matches: @Sendable (Object) -> Bool
    /// Writes events as the request wants to see them.
    var writer: WatchWriter<Object>
}

/// How a watch is asked for.
struct WatchRequest: Sendable {
    /// Nil: send the objects that are there first.
    var after: Int?
    /// With initial events: tell their end by a bookmark.
    var endsInitialEvents = false
    var allowsBookmarks = false
    var timeout: Duration
    var bookmarkInterval: Duration
}

/// The body of a watch: initial events where they are asked for, then what happens.
final class WatchProducer<Object: Versioned>: BodyProducer {
    /// Events that wait for a client that does not read: beyond that it is cut off, as an API server
    /// does with slow watchers.
    private static var queueLimit: Int { 100_000 }

    private struct Queue {
        var notices: [ChangeNotice<Object>] = []
        var taken = 0
        var isOverflowing = false
        var bookmarkIsDue = false
        var isTimeUp = false
        var wake: (@Sendable () -> Void)?

        mutating func popFirst() -> ChangeNotice<Object>? {
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

    private let feed: WatchFeed<Object>
    private let request: WatchRequest
    private let eventLoop: any EventLoop
    private let queue = Mutex(Queue())

    var contentType: String { feed.writer.contentType }

    // SAFETY: the rest is used on one event loop only.
    nonisolated(unsafe) private var watcher: Int?
    nonisolated(unsafe) private var initial: ArraySlice<Object> = []
    nonisolated(unsafe) private var endBookmark: Int?
    nonisolated(unsafe) private var resourceVersion = 0
    nonisolated(unsafe) private var isOver = false
    nonisolated(unsafe) private var isMuted = false
    nonisolated(unsafe) private var timers: [Scheduled<Void>] = []
    nonisolated(unsafe) private var repeated: RepeatedTask?
    nonisolated(unsafe) private var openingError: StatusBody?

    init(_ feed: WatchFeed<Object>, _ request: WatchRequest, on eventLoop: any EventLoop) {
        self.feed = feed
        self.request = request
        self.eventLoop = eventLoop
    }

    func start(wake: @escaping @Sendable () -> Void) {
        queue.withLock { $0.wake = wake }
        let notify: @Sendable (ChangeNotice<Object>) -> Void = { [weak self] in self?.enqueue($0) }
        if let after = request.after {
            resourceVersion = after
            switch feed.watchAfter(after, notify) {
            case .success(let watcher): self.watcher = watcher
            case .failure(let error): openingError = .expired(after, current: error.current)
            }
        } else {
            let now = feed.watchFromNow(notify)
            watcher = now.watcher
            resourceVersion = now.resourceVersion
            initial = now.objects.filter(feed.matches)[...]
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
        if let watcher { feed.stopWatching(watcher) }
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
        if isMuted { return .wait }
        if let openingError {
            self.openingError = nil
            isOver = true
            return .bytes(feed.writer.error(openingError))
        }
        if let object = initial.popFirst() { return .bytes(feed.writer.event("ADDED", object)) }
        if let version = endBookmark {
            endBookmark = nil
            return .bytes(feed.writer.bookmark(version, true))
        }
        return nextLive()
    }

    // MARK: Live events

    private func nextLive() -> BodyPiece {
        while true {
            // Taken before the queue is looked at: all events up to it are in the queue by now, so
            // a bookmark for it never runs ahead of an event.
            let current = feed.resourceVersion()
            let (notice, bookmarkIsDue, isTimeUp) = queue.withLock { queue in
                let state = (queue.popFirst(), queue.bookmarkIsDue, queue.isTimeUp)
                queue.bookmarkIsDue = false
                return state
            }
            switch notice {
            case .change(let change):
                if bookmarkIsDue { mark { $0.bookmarkIsDue = true } }
                resourceVersion = change.resourceVersion
                if let bytes = encode(change) { return .bytes(bytes) }
            case .expired:
                isOver = true
                return .bytes(
                    feed.writer.error(.expired(resourceVersion, current: feed.resourceVersion())))
            case .ended: return .end
            case .cut: return .cut
            case .muted:
                isMuted = true
                return .wait
            case nil:
                if bookmarkIsDue || (isTimeUp && request.allowsBookmarks && !isOver) {
                    if isTimeUp { isOver = true }
                    return .bytes(feed.writer.bookmark(max(resourceVersion, current), false))
                }
                return isTimeUp ? .end : .wait
            }
        }
    }

    private func enqueue(_ notice: ChangeNotice<Object>) {
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

    /// The change as this watch sees it: an object that enters its selector is added, one that
    /// leaves it is deleted.
    private func encode(_ change: Change<Object>) -> [UInt8]? {
        let isSelected = feed.matches(change.object)
        let wasSelected = change.previous.map(feed.matches) ?? false
        switch change.type {
        case .added: return isSelected ? feed.writer.event("ADDED", change.object) : nil
        case .deleted: return wasSelected ? feed.writer.event("DELETED", change.object) : nil
        case .modified:
            switch (wasSelected, isSelected) {
            case (true, true): return feed.writer.event("MODIFIED", change.object)
            case (false, true): return feed.writer.event("ADDED", change.object)
            case (true, false): return feed.writer.event("DELETED", change.object)
            case (false, false): return nil
            }
        }
    }
}
