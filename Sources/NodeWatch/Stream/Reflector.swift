package import KubeClient

/// Decides what a client of the list/watch protocol does next. A pure state machine: it is told what
/// happened and says what to do; time and chance come from outside.
///
/// It follows client-go's reflector where that is right and does better where it is known to be
/// weak: what is wrong with the connection never leads to a new list by itself, only the server
/// does, or a version at which nothing works any more.
package struct Reflector {
    /// How patient it is.
    package struct Options: Sendable {
        /// The first delay after a failure; each further one doubles it.
        package var backoffStart = Duration.milliseconds(800)
        /// Delays grow no further.
        package var backoffLimit = Duration.seconds(30)
        /// How many nodes a page of a list holds, where the server pages at all.
        package var pageSize = 500
        /// Failures at one resourceVersion, without an event between them, before a new list.
        package var failuresBeforeRelist = 5
        /// Attempts at a streaming list before a plain one is tried.
        package var streamingAttempts = 3
        /// Lists that broke off midway before one is asked for in pages, each of which can be had again
        /// by itself.
        package var breaksBeforePages = 2
        /// The first reconnect after a stream that brought something comes within this.
        package var quickLimit = Duration.milliseconds(100)

        package init() {}
    }

    /// A request to open.
    package enum Request: Sendable, Hashable {
        /// A watch that begins with the nodes that are there. Nil: the most recent state.
        case streamingList(notOlderThan: String?)
        case list(ListVersion, limit: Int, continueToken: String?)
        case watch(after: String)
        /// A list of one object, as a quorum read gives it: which version is the server at?
        case probe
    }

    /// Which state a list is to give.
    package enum ListVersion: Sendable, Hashable {
        /// Whatever the server has at hand (resourceVersion=0).
        case any
        case notOlderThan(String)
        /// That of then, if the server remembers.
        case exactly(String)
        /// What a quorum read gives now.
        case mostRecent
    }

    /// What to do.
    package enum Action: Sendable, Hashable {
        /// Go on reading.
        case proceed
        /// The list is whole: put it in the store's place, and go on reading.
        case commit
        /// The list is whole: put it in the store's place, then open a watch.
        case commitAndOpen(Request)
        /// Drop the stream and what it has listed, and open another.
        case open(Request)
        /// Drop the stream and what it has listed, wait, and open what `waited()` says.
        case wait(Duration)
    }

    private let options: Options
    private let random: () -> Double

    private var current: Request = .streamingList(notOlderThan: nil)
    private var next: Request?
    /// The version the store is at.
    package private(set) var version: String?
    private var avoidsStreaming = false
    private var needsMostRecent = false
    private var failures = 0
    private var failuresAtVersion = 0
    private var streamingFailures = 0
    private var sawEvent = false
    /// Something has come that need not come again, since the last failure.
    private var hasGained = false
    private var midwayBreaks = 0
    /// Of pages: less where not even one comes whole.
    private var pageSize: Int
    /// New lists after the first.
    package private(set) var relists = 0
    /// How often the server was silent for too long.
    package private(set) var silences = 0
    /// How often the server had gone back to an earlier state.
    package private(set) var rewinds = 0
    /// How the last list was made.
    package private(set) var listKind = ListKind.none

    /// How a list was made.
    package enum ListKind: String, Sendable {
        case none, watchList, list, pagedList
    }

    /// - Parameter random: Uniform from 0 to 1, for jitter.
    package init(_ options: Options = Options(), random: @escaping () -> Double) {
        self.options = options
        self.random = random
        pageSize = options.pageSize
    }

    /// Whether what is read now belongs to a list that is not whole yet.
    package var isListing: Bool {
        switch current {
        case .watch, .probe: false
        case .streamingList, .list: true
        }
    }

    /// Whether what is read now is a watch of what happens.
    package var isWatching: Bool {
        if case .watch = current { return true }
        return false
    }

    /// Whether what is read now is the answer to a probe.
    package var isProbing: Bool { current == .probe }

    /// The version at which a watch goes on after the wait; nil where a list comes first.
    package var resumeVersion: String? {
        switch next {
        case .watch(let version): version
        case .probe: version
        default: nil
        }
    }

    package mutating func start() -> Action { open(listRequest()) }

    /// Goes on where an earlier one had come to, if the server has come so far and remembers.
    package mutating func start(at version: String) -> Action {
        self.version = version
        return open(.probe)
    }

    /// Begins with the state of then, if the server remembers, so that what has happened since is told as
    /// change by change.
    package mutating func start(listing version: String) -> Action {
        open(.list(.exactly(version), limit: pageSize, continueToken: nil))
    }

    /// The wait is over.
    package mutating func waited() -> Action { open(next ?? listRequest()) }

    // MARK: What happened

    /// A watch told of a node, or a bookmark came.
    package mutating func progressed(to version: String) -> Action {
        // Initial events come in any order: they say nothing of the version.
        if isListing { return .proceed }
        self.version = version
        sawEvent = true
        hasGained = true
        failures = 0
        failuresAtVersion = 0
        return .proceed
    }

    /// The bookmark that ends the initial events.
    package mutating func initialEventsEnded(at version: String) -> Action {
        guard case .streamingList = current else { return progressed(to: version) }
        listed(at: version, .watchList)
        current = .watch(after: version)
        sawEvent = true
        return .commit
    }

    /// A page of a list is whole.
    package mutating func pageEnded(version: String, continueToken: String?) -> Action {
        guard case .list(let wanted, _, let previous) = current else { return .proceed }
        failures = 0
        hasGained = true
        if let continueToken, !continueToken.isEmpty {
            return open(
                .list(wanted, limit: pageSize, continueToken: continueToken))
        }
        listed(at: version, previous == nil ? .list : .pagedList)
        let watch = Request.watch(after: version)
        current = watch
        sawEvent = false
        return .commitAndOpen(watch)
    }

    /// The server refused, by the response or by an event in the stream.
    package mutating func refused(_ status: KubeStatus) -> Action {
        switch status.code {
        case 410: return expired()
        case 504 where status.isTooLargeVersion:
            needsMostRecent = true
            return retry(listRequest(), after: status.retryAfter)
        // Asking again for a list would make it worse.
        case 429: return retry(current, after: status.retryAfter)
        case 401: return retry(current, after: nil)
        // Who may watch may not be allowed to list.
        case 403 where !isProbing: return retry(current, after: nil)
        // An object that could not be read any more was removed, and no event told of it.
        case 500 where status.reason == "StorageReadError" && isWatching: return expired()
        case 500...: return failed(.refusal, retryAfter: status.retryAfter)
        default: break
        }
        switch current {
        case .streamingList:
            // Servers without the feature say 422, older ones other things.
            avoidsStreaming = true
            return open(listRequest())
        case .list, .watch:
            needsMostRecent = true
            return retry(listRequest(), after: status.retryAfter)
        case .probe: return open(resumption)
        }
    }

    /// The probe was answered: the server is at this version. `isBehind`: an object is older there than it
    /// was.
    package mutating func probed(at found: String, isBehind: Bool) -> Action {
        guard isProbing else { return .proceed }
        if !isBehind, !Self.isLower(found, than: version) { return open(resumption) }
        // Restored from a backup: what has been seen may never have been.
        rewinds += 1
        needsMostRecent = true
        return countAndOpen(listRequest())
    }

    /// Nothing has come for too long, not even a bookmark: is the server there, and where is it?
    package mutating func silent() -> Action {
        guard isWatching else { return .proceed }
        silences += 1
        return open(.probe)
    }

    /// The response ended in good order. `listed`: objects that had come of a list.
    package mutating func ended(after lasted: Duration, listed: Int = 0) -> Action {
        noteBreak(listed, isMidway: true)
        guard isWatching, let version else { return failed(.path, retryAfter: nil) }
        if sawEvent || lasted >= .seconds(1) { return open(.watch(after: version)) }
        // A watch that ends at once, again and again, must not become a hot loop.
        return retry(.watch(after: version), after: nil)
    }

    /// The connection failed, or what came is malformed. `listed`: objects that had come of a list.
    package mutating func failed(_ error: KubeError, listed: Int = 0) -> Action {
        noteBreak(listed, isMidway: [.transport, .truncated].contains(error.code))
        let answers: [KubeError.Code] = [.malformed, .notKubernetes, .limit, .memory]
        return failed(answers.contains(error.code) ? .refusal : .path, retryAfter: nil)
    }

    /// The end of the initial events is overdue.
    package mutating func stalled() -> Action {
        guard case .streamingList = current else { return failed(.path, retryAfter: nil) }
        avoidsStreaming = true
        return open(listRequest())
    }

    // MARK: Decisions

    private mutating func listed(at version: String, _ kind: ListKind) {
        if listKind != .none { relists += 1 }
        listKind = kind
        self.version = version
        needsMostRecent = false
        failures = 0
        failuresAtVersion = 0
        streamingFailures = 0
        midwayBreaks = 0
        pageSize = options.pageSize
        hasGained = true
    }

    /// Lists that never come whole over a bad path are asked for in parts.
    private mutating func noteBreak(_ listed: Int, isMidway: Bool) {
        guard isMidway, isListing, listed > 0 else { return }
        midwayBreaks += 1
        if case .list(let version, let limit, let token) = current, limit > 0 {
            pageSize = max(limit / 2, Self.leastPageSize)
            current = .list(version, limit: pageSize, continueToken: token)
        }
    }

    private static let leastPageSize = 10

    /// Where a watch goes on.
    private var resumption: Request { version.map { .watch(after: $0) } ?? listRequest() }

    private static func isLower(_ found: String, than version: String?) -> Bool {
        guard let version, let ours = ResourceVersion(version), let theirs = ResourceVersion(found)
        else { return false }
        return theirs.isOutdated(by: ours)
    }

    private func listRequest() -> Request {
        let wanted = needsMostRecent ? nil : version
        if midwayBreaks >= options.breaksBeforePages {
            return .list(.mostRecent, limit: pageSize, continueToken: nil)
        }
        if !avoidsStreaming, streamingFailures < options.streamingAttempts {
            return .streamingList(notOlderThan: wanted)
        }
        if needsMostRecent {
            return .list(.mostRecent, limit: pageSize, continueToken: nil)
        }
        return .list(
            wanted.map { .notOlderThan($0) } ?? .any, limit: 0, continueToken: nil)
    }

    private mutating func expired() -> Action {
        switch current {
        case .watch:
            // The first new list is asked for at once: the events between are lost already.
            return failures == 0 ? countAndOpen(listRequest()) : retry(listRequest(), after: nil)
        case .list(_, _, .some):
            // A page came too late: one whole list, without pages, unless those never come whole.
            let pages = midwayBreaks >= options.breaksBeforePages ? pageSize : 0
            return retry(.list(.mostRecent, limit: pages, continueToken: nil), after: nil)
        case .probe: return open(resumption)
        case .list, .streamingList:
            if needsMostRecent { return retry(listRequest(), after: nil) }
            needsMostRecent = true
            return countAndOpen(listRequest())
        }
    }

    /// What stands in the way.
    private enum Obstacle {
        /// The connection: nothing is known to be wrong with the server.
        case path
        /// The server, which may answer the same for ever.
        case refusal
    }

    private mutating func failed(_ obstacle: Obstacle, retryAfter: Duration?) -> Action {
        let isQuick = obstacle == .path
        switch current {
        case .streamingList:
            streamingFailures += 1
            return retry(listRequest(), after: retryAfter)
        // A page can be had again by itself.
        case .list(_, _, .some): return retry(current, after: retryAfter, isQuick: isQuick)
        case .list(.exactly, _, _)
        where obstacle == .path && failures < options.failuresBeforeRelist:
            return retry(current, after: retryAfter, isQuick: true)
        case .list: return retry(listRequest(), after: retryAfter)
        case .probe: return retry(.probe, after: retryAfter)
        case .watch where obstacle == .path:
            // Who comes back may be another server, or the same in an earlier state.
            return retry(version == nil ? listRequest() : .probe, after: retryAfter, isQuick: true)
        case .watch:
            failuresAtVersion += 1
            guard failuresAtVersion >= options.failuresBeforeRelist else {
                return retry(resumption, after: retryAfter)
            }
            failuresAtVersion = 0
            streamingFailures = 0
            return retry(listRequest(), after: retryAfter)
        }
    }

    private mutating func countAndOpen(_ request: Request) -> Action {
        failures += 1
        return open(request)
    }

    private mutating func open(_ request: Request) -> Action {
        current = request
        next = nil
        sawEvent = false
        return .open(request)
    }

    private mutating func retry(
        _ request: Request, after wanted: Duration?, isQuick: Bool = false
    ) -> Action {
        next = request
        if isQuick, hasGained {
            hasGained = false
            return .wait(max(options.quickLimit * random(), wanted ?? .zero))
        }
        let doublings = min(failures, 16)
        failures += 1
        let grown = min(options.backoffStart * (1 << doublings), options.backoffLimit)
        // Half to one and a half: many clients that failed together do not come back together.
        let delay = grown * (0.5 + random())
        return .wait(max(delay, wanted ?? .zero))
    }
}

extension Reflector.Action {
    /// Whether the pages listed so far are to be kept: only between pages.
    package var keepsPages: Bool {
        if case .open(.list(_, _, .some)) = self { return true }
        return false
    }
}

extension KubeStatus {
    /// The three ways in which servers have said that a resourceVersion is ahead of them.
    package var isTooLargeVersion: Bool {
        cause == "ResourceVersionTooLarge" || message.contains("Too large resource version")
    }
}

extension Reflector.Request {
    /// Whether it goes on until something ends it.
    var isStream: Bool {
        switch self {
        case .streamingList, .watch: true
        case .list, .probe: false
        }
    }
}
