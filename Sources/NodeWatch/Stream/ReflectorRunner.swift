import KubeClient
import WatchEngine

/// Does what the reflector decides: opens streams, reads them on the calling thread, and writes what
/// they say into the hub. Belongs to one thread.
package final class ReflectorRunner<Reader: StreamReader, Outside: Surroundings> {
    package typealias Table = Reader.Table

    private let outside: Outside
    private let selector: NodeSelector
    private let hub: Hub<Table>
    private let options: RunnerOptions
    private let counters: WatchCounters
    /// Of the batch: added to the counters once.
    private var tally = Tally()
    private let notify: (WatchNotice) -> Void

    private var reflector: Reflector
    /// A refused credential is replaced once, before the refusal counts.
    private var hasReplacedCredential = false
    /// Makes objects of events.
    private var reader: Reader
    /// What is asked for: what the reader reads, but for a server whose protobuf proved to be none.
    private var wireFormat: WireFormat
    /// The server has not refused to select a shard.
    private var asksForShard = true
    /// What the response is said to be written in; nil: in neither.
    private var responseFormat: WireFormat?
    private var listing: IncomingList<Reader>
    private var outageStart: ContinuousClock.Instant?
    private var previous: Reflector.Request?
    /// What an earlier runner knew, until the server confirms it or a list takes its place.
    private var restored: (table: Table, version: ResourceVersion)?
    private let firstVersion: String?
    private let start: ContinuousClock.Instant

    package init(
        _ outside: Outside, _ reader: Reader, _ selector: NodeSelector, _ hub: Hub<Table>,
        _ counters: WatchCounters, _ options: RunnerOptions,
        restored: (table: Table, version: ResourceVersion)? = nil, firstVersion: String? = nil,
        notify: @escaping (WatchNotice) -> Void
    ) {
        self.outside = outside
        self.reader = reader
        wireFormat = reader.wireFormat
        self.selector = selector
        self.hub = hub
        self.counters = counters
        self.options = options
        self.restored = restored
        self.firstVersion = firstVersion
        self.notify = notify
        reflector = Reflector(options.reflector) { outside.chance() }
        start = outside.now
        counters.note { [start] in $0.epoch = start }
        listing = IncomingList(at: start)
    }

    /// Runs until cancelled.
    package func run() {
        var action =
            restored.map { reflector.start(at: $0.version.string) }
            ?? firstVersion.map { reflector.start(listing: $0) } ?? reflector.start()
        while !outside.isCancelled {
            switch action {
            case .wait(let delay):
                counters.note { $0.state = .waiting }
                if outside.sleep(delay) { return }
                action = reflector.waited()
            case .open(let request): action = read(request, action.keepsPages)
            case .proceed, .commit, .commitAndOpen: action = reflector.start()
            }
        }
    }

    // MARK: One stream

    private struct Tally {
        var events = 0
        var heartbeats = 0
        var rejected = 0
    }

    /// What is known of the stream that is read.
    private struct Reading {
        var request: Reflector.Request
        var target: String
        var opened: ContinuousClock.Instant
        /// When the list was last found longer. What happens to listed objects while its end is awaited
        /// brings that no nearer.
        var lastGrowth: ContinuousClock.Instant
        var lastByte: ContinuousClock.Instant
        var bodyBytes = 0
        /// Of a probe: an object is older than it was.
        var isBehind = false
    }

    /// Reads a stream until the reflector wants another.
    private func read(_ request: Reflector.Request, _ keepsPages: Bool) -> Reflector.Action {
        if let previous, previous.isStream { counters.update { $0.reconnects += 1 } }
        previous = request
        if reflector.isListing, !keepsPages { listing.begin(knownTable, at: outside.now) }
        let target = request.target(
            reader.path, selector, asksForShard: asksForShard, timeoutSeconds: watchSeconds())
        outside.trace(.request(method: "GET", target: target))
        counters.note { $0.state = .connecting }
        responseFormat = nil
        do throws(KubeError) {
            try open(request, target)
        } catch {
            return after(reflector.failed(error), error)
        }
        let now = outside.now
        var reading = Reading(
            request: request, target: target, opened: now, lastGrowth: now, lastByte: now)
        while true {
            let wait = reflector.isListing ? options.reportInterval : .seconds(1)
            let action = outside.next(within: wait) { events, batch in
                let fresh = Int(batch.body_bytes) - reading.bodyBytes
                reading.bodyBytes += fresh
                if fresh > 0 || !events.isEmpty { reading.lastByte = outside.now }
                if reflector.isListing { listing.received(fresh) }
                counters.update { $0.bytes += fresh }
                noteSign(fresh)
                // A server that has forgotten the version says so at once.
                if events.isEmpty, responseFormat != nil, reflector.isWatching { confirmRestored() }
                let action = process(events, &reading)
                addTally()
                note(events)
                return action
            }
            let retired = reader.takeRetiredImages()
            if !retired.isEmpty { outside.retireImages(retired) }
            if let action { return action }
            if !reflector.isListing { outside.setWindow(options.batchWindow) }
            if outside.isCancelled { return .proceed }
            if reflector.isListing,
                let report = listing.report(every: options.reportInterval, at: outside.now)
            {
                notify(report)
            }
            if reflector.isListing, outside.now - reading.lastGrowth > patience(request) {
                return after(reflector.stalled(), Self.stall(request))
            }
            if reflector.isProbing, outside.now - reading.opened > options.probePatience {
                let error = KubeError(.timeout, "no answer to a probe")
                return after(reflector.failed(error), error)
            }
            if reflector.isWatching, outside.now - reading.lastByte > options.silencePatience {
                return silent(since: outside.now - reading.lastByte)
            }
        }
    }

    private func open(_ request: Reflector.Request, _ target: String) throws(KubeError) {
        let listWindow = min(options.listWindow, options.batchWindow)
        let parts = StreamRequest(
            target: target, accept: wireFormat.accept(isWatch: request.isStream),
            patience: request == .probe ? options.probePatience : nil,
            window: reflector.isListing ? listWindow : options.batchWindow,
            isStream: request.isStream)
        let (outside, shard) = (outside, selector.shard)
        let opened = reader.withProjection { projection in
            var projection = projection.pointee
            projection.shard = shard?.engine ?? plm_shard()
            return Result { () throws(KubeError) in try outside.open(parts, &projection) }
        }
        if try opened.get() { reader.beginImages() }
    }

    /// A watch ends after so long.
    private func watchSeconds() -> Int {
        let (least, most) = (options.watchSeconds.lowerBound, options.watchSeconds.upperBound)
        return least + Int((Double(most - least) * outside.chance()).rounded())
    }

    /// Takes down that something came, before anybody is told of it.
    private func noteSign(_ freshBytes: Int) {
        let now = outside.now
        counters.note { record in
            record.lastSign = now
            if freshBytes > 0 { record.lastByte = now }
        }
    }

    /// Takes down when what came, once a batch.
    private func note(_ events: UnsafeBufferPointer<plm_event>) {
        let now = outside.now
        let state: Freshness.State = reflector.isListing ? .listing : .watching
        counters.note { record in
            for event in events {
                switch event.kind {
                case .added, .modified, .deleted, .skipped: record.lastEvent = now
                case .bookmark: record.lastBookmark = now
                case .head: record.state = state
                default: break
                }
            }
            if !events.isEmpty, record.state == .listing { record.state = state }
        }
    }

    private func patience(_ request: Reflector.Request) -> Duration {
        if case .streamingList = request { return options.endBookmarkPatience }
        return options.listPatience
    }

    private static func stall(_ request: Reflector.Request) -> KubeError {
        if case .streamingList = request {
            return KubeError(
                .timeout, "the server does not end its streaming list; asking for a plain one")
        }
        return KubeError(.timeout, "the list came to a standstill")
    }

    // MARK: Blindness

    /// Says that nothing comes any more, and asks the server.
    private func silent(since silence: Duration) -> Reflector.Action {
        let action = reflector.silent()
        let error = KubeError(
            .silent, "nothing came for \(silence.components.seconds) s, not even a bookmark")
        counters.update { $0.silences = reflector.silences }
        counters.note { $0.lastDisconnect = (error.message, .now) }
        notify(.problem(error, retryIn: .zero, resumesAt: reflector.version))
        return action
    }

    /// Reads the answer to a probe. Nil: go on reading.
    private func probe(
        _ events: UnsafeBufferPointer<plm_event>, _ reading: inout Reading
    ) -> Reflector.Action? {
        for event in events {
            switch event.kind {
            case .added, .modified:
                if let found = reader.version(of: event),
                    let known = reader.knownVersion(of: event, in: knownTable),
                    found.isOutdated(by: known)
                {
                    reading.isBehind = true
                }
            case .list:
                let version = event.list.resource_version.string ?? ""
                return probed(at: version, isBehind: reading.isBehind)
            default:
                if let action = other(event, &reading) { return action }
            }
        }
        return nil
    }

    private func probed(at version: String, isBehind: Bool) -> Reflector.Action? {
        let (ours, rewinds) = (reflector.version ?? "", reflector.rewinds)
        let action = reflector.probed(at: version, isBehind: isBehind)
        if reflector.rewinds > rewinds {
            let error = KubeError(
                .rewound,
                "the server has gone back to an earlier state (resourceVersion \(version), \(ours) had "
                    + "been seen)")
            counters.update { $0.rewinds = reflector.rewinds }
            counters.note { $0.lastDisconnect = (error.message, .now) }
            notify(.problem(error, retryIn: .zero, resumesAt: nil))
        }
        return handled(action)
    }

    /// Takes in a batch. Nil: go on reading.
    private func process(
        _ events: UnsafeBufferPointer<plm_event>, _ reading: inout Reading
    ) -> Reflector.Action? {
        if events.isEmpty { return nil }
        let listed = listing.count
        defer { if listing.count > listed { reading.lastGrowth = outside.now } }
        if reflector.isProbing { return probe(events, &reading) }
        let seen = seconds()
        var at = 0
        while at < events.count {
            if reflector.isListing {
                let action = list(events[at], seen, &reading)
                at += 1
                if let action { return action }
                continue
            }
            if events[at].isProgress { confirmRestored() }
            // Nodes and bookmarks by the batch, under one lock; nobody is called from in there.
            let reader = reader
            let (next, version, error) = hub.apply { transaction in
                var at = at
                var version: ResourceVersion?
                // Before anybody is told.
                defer { addTally() }
                while at < events.count, events[at].isProgress {
                    if let error = watch(events[at], reader, seen, &transaction, &version) {
                        return (at, version, error as KubeError?)
                    }
                    at += 1
                }
                return (at, version, nil)
            }
            // Once a batch: it makes a string, which a heartbeat must not cost.
            if let version { _ = reflector.progressed(to: version.string) }
            if let action = failed(error) { return action }
            at = next
            guard at < events.count else { break }
            let action = other(events[at], &reading)
            at += 1
            if let action { return action }
        }
        return nil
    }

    /// One event of a list.
    private func list(
        _ event: plm_event, _ seen: UInt32, _ reading: inout Reading
    ) -> Reflector.Action? {
        switch event.kind {
        case .added, .modified:
            return failed(count(listing.apply(event, reader, seen: seen), event))
        case .deleted:
            return failed(count(listing.delete(event, reader), event))
        case .bookmark:
            tally.events += 1
            let version = event.bookmark.resource_version.string ?? ""
            if !event.bookmark.initial_events_end {
                return handled(reflector.progressed(to: version))
            }
            return handled(reflector.initialEventsEnded(at: version))
        case .list:
            return handled(
                reflector.pageEnded(
                    version: event.list.resource_version.string ?? "",
                    continueToken: event.list.continue_token.string))
        case .skipped:
            tally.events += 1
            return nil
        case .rejected:
            listing.adopt(event.rejection.name, in: event.rejection.namespace_name, reader)
            return other(event, &reading)
        default: return other(event, &reading)
        }
    }

    /// An object or a bookmark of a watch. Moves the version on, or returns what is wrong.
    private func watch(
        _ event: plm_event, _ reader: Reader, _ seen: UInt32,
        _ transaction: inout Hub<Table>.Transaction, _ version: inout ResourceVersion?
    ) -> KubeError? {
        if event.kind == .bookmark {
            tally.events += 1
            guard let reached = ResourceVersion(event.bookmark.resource_version.raw) else {
                return nil
            }
            transaction.advance(to: reached)
            version = reached
            return nil
        }
        if event.kind == .skipped {
            tally.events += 1
            if let reached = ResourceVersion(event.skipped_version.raw) {
                transaction.advance(to: reached)
                version = reached
            }
            return nil
        }
        guard let reached = reader.version(of: event) else {
            let name = reader.name(of: event).string ?? ""
            return KubeError(
                .malformed, "an event of \(name) has no metadata.resourceVersion")
        }
        let outcome = transaction.apply { table in
            event.kind == .deleted
                ? reader.delete(event, version: reached, from: &table)
                : reader.apply(event, version: reached, to: &table, known: nil, seen: seen)
        }
        if let error = count(outcome, event) { return error }
        transaction.advance(to: reached)
        version = reached
        return nil
    }

    /// What may come in a list as well as in a watch.
    private func other(_ event: plm_event, _ reading: inout Reading) -> Reflector.Action? {
        switch event.kind {
        case .image: reader.define(event.image)
        case .head:
            outside.trace(
                .stream(
                    target: reading.target, status: Int(event.head.status),
                    httpVersion: Int(event.head.http_version), after: outside.now - reading.opened))
            if event.head.status != 401 { hasReplacedCredential = false }
            noteFormat(event.head)
            if event.head.status < 300, case .watch = reading.request, let since = outageStart {
                outageStart = nil
                notify(.resumed(after: outside.now - since))
            }
        case .status:
            let status = KubeStatus(event.status)
            if status.code == 401, !hasReplacedCredential, outside.credentialWasRefused() {
                hasReplacedCredential = true
                return .open(reading.request)
            }
            if asksForShard, selector.shard != nil, status.message.contains("shard") {
                asksForShard = false
                return .open(reading.request)
            }
            let error = KubeError.refused(
                status.code, status, permission: "verbs list and watch on \(reader.resourceName)")
            return after(reflector.refused(status), error)
        case .end:
            if !reflector.isListing {
                counters.note { $0.lastDisconnect = ("the server ended the watch", .now) }
            }
            let error = KubeError(
                .truncated,
                reflector.isListing
                    ? "the list ended before it was whole" : "the server ended the watch at once")
            return after(
                reflector.ended(after: outside.now - reading.opened, listed: listing.count), error)
        case .failure:
            let error = KubeError(event.failure)
            if wireFormat == .automatic, responseFormat == .protobuf,
                [.malformed, .notKubernetes].contains(error.code)
            {
                wireFormat = .json
            }
            return after(reflector.failed(error, listed: listing.count), error)
        case .rejected: reject(event.rejection)
        case .unknown: tally.events += 1
        case .added, .modified, .deleted, .skipped, .bookmark, .list: break
        }
        return nil
    }

    // MARK: Into the store

    private var knownTable: Table { restored?.table ?? hub.table }

    /// The server goes on from there.
    private func confirmRestored() {
        guard let restored else { return }
        self.restored = nil
        outageStart = nil
        let sync = WatchNotice.Sync(
            kind: .checkpoint, wireFormat: responseFormat ?? .json, objects: restored.table.count,
            bytes: 0, duration: outside.now - start, isRelist: false)
        counters.update { $0.initialSync = sync }
        hub.restore(restored.table, version: restored.version)
        notify(.synced(sync))
    }

    private func commitList() {
        let version = reflector.version.flatMap { ResourceVersion($0) }
        let sync = listing.sync(
            WatchNotice.Sync.Kind(reflector.listKind), responseFormat ?? .json,
            isRelist: reflector.relists > 0, at: outside.now)
        // Before the readers wake: who sees the nodes may ask how they came.
        counters.update { counters in
            counters.relists = reflector.relists
            if counters.initialSync == nil { counters.initialSync = sync }
        }
        // Readers begin with what was known, and are told the difference.
        if let restored { hub.restore(restored.table, version: restored.version) }
        restored = nil
        if firstVersion != nil, let version, !hub.read({ $0.hasSynced }) {
            // What happens from now on is told as changes, however long readers take to come for it.
            hub.restore(listing.table, version: version)
        } else {
            hub.replace(with: listing.table, version: version)
        }
        listing.end()
        outageStart = nil
        notify(.synced(sync))
    }

    // MARK: Small things

    private func noteFormat(_ head: plm_head) {
        guard (200..<300).contains(head.status),
            let format = WireFormat(contentType: head.content_type.string ?? "")
        else { return }
        responseFormat = format
        counters.update { $0.wireFormat = format }
    }

    /// Counts an event; one that cannot be used must not go unnoticed.
    private func count(_ outcome: CacheOutcome<Table.Object>, _ event: plm_event) -> KubeError? {
        tally.events += 1
        switch outcome {
        case .heartbeat:
            tally.heartbeats += 1
            return nil
        case .broken:
            return KubeError(.malformed, "an event refers to an image that was never defined")
        case .unusable(let reason):
            tally.rejected += 1
            notify(.rejected(object: reader.name(of: event).string ?? "", reason: reason))
            return nil
        default: return nil
        }
    }

    /// Adds what came to the counters.
    private func addTally() {
        guard tally.events > 0 else { return }
        let tally = tally
        self.tally = Tally()
        counters.update { counters in
            counters.events += tally.events
            counters.heartbeats += tally.heartbeats
            counters.rejected += tally.rejected
        }
    }

    private func failed(_ error: KubeError?) -> Reflector.Action? {
        error.map { after(reflector.failed($0), $0) }
    }

    private func reject(_ rejection: plm_rejection) {
        tally.events += 1
        tally.rejected += 1
        notify(
            .rejected(
                object: rejection.name.string ?? "", reason: rejection.reason.string ?? "unknown"))
    }

    /// Does what can be done here; gives the rest back.
    private func handled(_ action: Reflector.Action) -> Reflector.Action? {
        switch action {
        case .proceed: return nil
        case .commit:
            commitList()
            return nil
        case .commitAndOpen(let request):
            commitList()
            return .open(request)
        case .open, .wait: return action
        }
    }

    /// Says what went wrong, when the reflector makes something of it.
    private func after(_ action: Reflector.Action, _ error: KubeError) -> Reflector.Action {
        if error.code == .cancelled { return action }
        if error.code != .truncated || reflector.isListing {
            counters.note { $0.lastDisconnect = (error.message, .now) }
        }
        switch action {
        case .wait(let delay):
            if !reflector.isListing, outageStart == nil { outageStart = outside.now }
            notify(.problem(error, retryIn: delay, resumesAt: reflector.resumeVersion))
        case .open where error.httpStatus == 410 || error.code == .timeout:
            notify(.problem(error, retryIn: .zero, resumesAt: nil))
        default: break
        }
        return action
    }

    private func seconds() -> UInt32 {
        UInt32(clamping: Int((outside.now - start) / .seconds(1)))
    }
}

extension plm_event {
    /// Whether it tells of a node or a version.
    var isProgress: Bool {
        switch kind {
        case .added, .modified, .deleted, .skipped, .bookmark: true
        default: false
        }
    }
}
