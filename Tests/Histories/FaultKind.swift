import ClusterSimulator

/// What can go wrong.
package enum FaultKind: String, CaseIterable {
    case cut = "connection cut"
    case cutMidway = "connection cut within an event"
    case orderlyEnd = "body ended early"
    case crumbs = "bytes come a few at a time"
    case stall = "bytes come late"
    case refused = "connections refused for seconds"
    case outage = "server away for minutes or hours"
    case tooMany = "429 with Retry-After"
    case internalError = "500"
    case unavailable = "503"
    case gatewayTimeout = "504"
    case unauthorized = "401"
    case forbidden = "403"
    case gone = "410 to a request"
    case hang = "no answer"
    case closed = "connection closed instead of an answer"
    case page = "a page for people"
    case garbage = "malformed body"
    case otherFormat = "JSON instead of protobuf"
    case truncated = "answer cut off"
    case compaction = "history gone, watches ended"
    case forgotten = "history gone, nobody told"
    case noEndBookmark = "streaming list without its end"
    case muted = "watch without a byte"
    case blackHole = "path drops everything"
    case restoredBackup = "etcd restored from a backup"
    case newCertificates = "client begins with new certificates"
    case reset = "answer cut off by a reset"
    case stalledBody = "answer that stops, and stays open"
    case drip = "answer that comes slowly"
    case duplicates = "every event twice"
    case goneEvent = "410 as an event"
    case tooManyEvent = "429 as an event"
    case errorEvent = "500 as an event"
    case restart = "client restarted from its checkpoint"
    /// In HTTP/2.
    case goAway = "server asks for another connection"

    /// How often, beside the others.
    func weight(_ options: Life.Options) -> Int {
        usualWeight * (usualWeight <= 300 ? options.rareTimes : 1)
    }

    private var usualWeight: Int {
        switch self {
        case .cutMidway: 20_000
        case .cut, .crumbs, .stall, .orderlyEnd: 15_000
        case .goAway, .refused, .tooMany, .internalError, .unavailable: 5000
        case .gatewayTimeout, .unauthorized, .forbidden, .closed, .truncated: 2000
        case .reset, .drip, .duplicates, .tooManyEvent, .errorEvent: 1000
        case .otherFormat, .newCertificates: 1000
        case .restart: 500
        case .compaction, .forgotten: 300
        case .gone, .goneEvent, .page: 300
        case .hang: 100
        case .muted, .stalledBody, .blackHole, .noEndBookmark, .restoredBackup: 30
        case .outage: 10
        // From then on the client asks for JSON.
        case .garbage: 1
        }
    }

    /// What it needs to make a difference.
    enum Need {
        /// A stream that is open.
        case stream
        /// No other fault that waits for the next request.
        case request
        case nothing
    }

    var need: Need {
        switch self {
        case .cut, .cutMidway, .orderlyEnd, .crumbs, .stall, .muted, .blackHole, .compaction,
            .refused, .goAway:
            .stream
        case .outage, .forgotten, .newCertificates, .restart, .restoredBackup: .nothing
        default: .request
        }
    }

    func strike(
        _ scene: some Scene, _ now: Duration, _ options: Life.Options, _ random: inout SeededRandom
    ) {
        let (cluster, faults) = (scene.cluster, scene.faults)
        switch self {
        case .cut: scene.path.cutAfter = 0
        case .cutMidway: scene.path.cutAfter = Int.random(in: 1...40_000, using: &random)
        case .orderlyEnd: cluster.endWatches()
        case .crumbs: scene.path.crumbs = Int.random(in: 100...3000, using: &random)
        case .stall:
            scene.path.stalledUntil =
                now + time(options.stall, &random)
        case .refused:
            scene.path.downUntil = now + time(options.refusal, &random)
            scene.path.cutAfter = 0
        case .outage:
            scene.path.downUntil =
                now + time(random.next() % 8 == 0 ? options.longOutage : options.outage, &random)
            scene.path.cutAfter = 0
        case .tooMany:
            let seconds = Int.random(in: options.retryAfter, using: &random)
            next(scene, .status(429, retryAfter: seconds))
        case .internalError: next(scene, .status(500))
        case .unavailable: next(scene, .status(503))
        case .gatewayTimeout: next(scene, .status(504))
        case .unauthorized: next(scene, .status(401))
        case .forbidden: next(scene, .status(403))
        case .gone: next(scene, .status(410))
        case .hang: next(scene, .hang)
        case .closed: next(scene, .close)
        case .page: next(scene, .html)
        case .garbage: next(scene, .garbage)
        case .otherFormat: next(scene, .json)
        case .truncated:
            next(scene, .truncate(afterBytes: Int.random(in: 0...100_000, using: &random)))
        case .compaction: cluster.compact()
        case .forgotten:
            cluster.forgetHistory()
            scene.path.cutAfter = 0
        case .noEndBookmark:
            faults.add(.missingEndBookmark, to: .watch)
            cluster.compact()
        case .muted: cluster.muteWatches()
        case .blackHole: scene.path.isDead = true
        case .restoredBackup: _ = cluster.restore()
        case .reset:
            next(scene, .reset(afterBytes: Int.random(in: 0...100_000, using: &random)))
        case .stalledBody:
            // Soon, so that it is noticed before the next calm ends.
            next(scene, .stall(afterBytes: Int.random(in: 0...20_000, using: &random)))
        case .drip:
            next(scene, .drip(bytesPerSecond: Int.random(in: options.drip, using: &random)))
        case .duplicates: next(scene, .duplicates)
        case .goneEvent: next(scene, .event(410))
        case .tooManyEvent:
            next(scene, .event(429, retryAfter: Int.random(in: options.retryAfter, using: &random)))
        case .errorEvent: next(scene, .event(500))
        case .restart: scene.path.restartsClient = true
        case .goAway:
            scene.goAway()
            cluster.endWatches()
        case .newCertificates:
            scene.path.renewsEngine = true
            scene.path.cutAfter = 0
        }
    }

    private func time(_ range: ClosedRange<Duration>, _ random: inout SeededRandom) -> Duration {
        let span = range.upperBound - range.lowerBound
        return range.lowerBound + span / 1000 * Int(random.next() % 1001)
    }

    /// The next request gets it, which comes at once.
    private func next(_ scene: some Scene, _ fault: Faults.Fault) {
        scene.faults.add(fault)
        scene.path.cutAfter = 0
    }
}
