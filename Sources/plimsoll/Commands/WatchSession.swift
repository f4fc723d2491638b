import ImageAlerts
import KubeClient
import NodeWatch
import PlimsollService
import ProcessMemory
import Synchronization

/// One run of `watch`: an informer, the alerts on standard output, the talk on standard error.
final class WatchSession: Sendable {
    struct Options: Sendable {
        var format = AlertFormat.text
        var selector = NodeSelector.all
        var batchWindow = Duration.milliseconds(50)
        var isStrict = false
        var wireFormat = WireFormat.automatic
        var cap = ImageChangeDetector.Cap.assumed
        var stopsWhenSynced = false
        var duration: Duration?
        var printsStatistics = false
        /// Where to answer probes.
        var health: ListenAddress?
        var staleAfter = Duration.seconds(150)
    }

    /// Why it ended.
    private enum End: Sendable {
        case synced
        case timeUp
        case signal(Int32)
        /// Nobody reads the alerts any more.
        case outputClosed
        case failed(String)
    }

    /// Before the first list nobody waits longer than this with `--until-synced`.
    private static let syncPatience = Duration.seconds(30)

    /// Columns for node names: as many as the longest needs, within limits.
    private static let nameWidths = 20...48

    private struct State: Sendable {
        var status = StatusLine()
        var isSynced = false
        var lastProblem: String?
        var changes = 0
        var alerts = 0
        var informer: SharedNodeInformer?
    }

    private let client: KubeClient
    private let options: Options
    private let state = Mutex(State())
    private let ends: AsyncStream<End>
    private let end: AsyncStream<End>.Continuation

    private var name: String { client.configuration.contextName }

    init(_ client: KubeClient, _ options: Options) {
        self.client = client
        self.options = options
        (ends, end) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .bufferingOldest(1))
    }

    /// Watches until the options, a signal or a hopeless problem end it. Returns the exit code.
    func run() async throws -> Int32 {
        let informer = try SharedNodeInformer(
            client: client, selector: options.selector, batchWindow: options.batchWindow,
            strict: options.isStrict, wireFormat: options.wireFormat
        ) {
            [weak self] in
            self?.take($0)
        }
        state.withLock { $0.informer = informer }
        defer { state.withLock { $0.informer = nil } }
        let health = try await serveHealth(informer)
        let interruption = Interruption { [end] in end.yield(.signal($0)) }
        defer { withExtendedLifetime(interruption) {} }
        // Begun before anything can happen, so that nothing is missed.
        let changes = informer.changes().makeAsyncIterator()
        // Of reading arguments and configuration.
        process_memory_give_back()
        let watching = Task { try await informer.run() }
        let alerting = Task { await alert(changes) }
        let clock = Task { await limitTime() }

        let reason = await ends.first { _ in true } ?? .timeUp
        clock.cancel()
        watching.cancel()
        try? await watching.value
        // What had been seen by then is still told.
        await alerting.value
        await health?.stop()
        state.withLock { $0.status.clear() }
        if options.printsStatistics { printStatistics(informer) }
        return exitCode(reason)
    }

    /// The informer's thread shows itself every second, but for a plugin that may take minutes.
    private static let lifePatience = Duration.seconds(600)

    private func serveHealth(_ informer: SharedNodeInformer) async throws -> HealthServer? {
        guard let address = options.health else { return nil }
        let limit = options.staleAfter
        let server = try await HealthServer(
            address,
            HealthServer.Reports(
                live: {
                    let freshness = informer.freshness
                    let silence = freshness.sinceSignOfLife ?? .zero
                    let isStuck = freshness.state != .waiting && silence > Self.lifePatience
                    return HealthReport(checks: [
                        .init(
                            name: "informer",
                            objection: isStuck
                                ? "its thread has been stuck for \(silence.components.seconds) s"
                                : nil
                        )
                    ])
                },
                ready: {
                    HealthReport(checks: [
                        .init(
                            name: "watch",
                            objection: informer.freshness.objection(staleAfter: limit))
                    ])
                }))
        Talk.say("health: http://\(address.host):\(server.port)/readyz")
        return server
    }

    private func exitCode(_ reason: End) -> Int32 {
        let (isSynced, lastProblem) = state.withLock { ($0.isSynced, $0.lastProblem) }
        switch reason {
        case .failed(let problem):
            Talk.say("Error: \(problem)")
            return 1
        case .signal(let number) where isSynced || number == SignalNumber.interrupt:
            return number == SignalNumber.interrupt ? 130 : 0
        case .synced, .outputClosed: return 0
        case .timeUp, .signal:
            if isSynced { return 0 }
            Talk.say("Error: the list of nodes never came" + (lastProblem.map { ": \($0)" } ?? ""))
            return 1
        }
    }

    // MARK: Alerts

    private func alert(_ changes: NodeChanges.AsyncIterator) async {
        var changes = changes
        var detector = ImageChangeDetector(cap: options.cap)
        var nameWidth = Self.nameWidths.lowerBound
        while let change = await changes.next() {
            if case .added(let node, let isInitial) = change {
                nameWidth = min(max(nameWidth, node.name.count), Self.nameWidths.upperBound)
                if !isInitial { state.withLock { $0.changes += 1 } }
            } else {
                state.withLock { $0.changes += 1 }
            }
            guard let imageChange = detector.observe(change) else { continue }
            let alert = Alert(imageChange, cluster: name)
            let line = options.format.line(
                alert, width: Terminal.width, nameWidth: nameWidth,
                isColored: Terminal.outputIsColored)
            let isWritten = state.withLock { state in
                state.status.clear()
                state.alerts += 1
                return Output.tryLine(line)
            }
            if !isWritten { end.yield(.outputClosed) }
        }
    }

    private func limitTime() async {
        var limits: [(Duration, End?)] = []
        if let duration = options.duration { limits.append((duration, .timeUp)) }
        if options.stopsWhenSynced { limits.append((Self.syncPatience, nil)) }
        await withTaskGroup(of: Void.self) { group in
            for (duration, reason) in limits {
                group.addTask { [self] in
                    guard (try? await Task.sleep(for: duration)) != nil else { return }
                    if let reason {
                        end.yield(reason)
                    } else if !state.withLock({ $0.isSynced }) {
                        let problem = state.withLock { $0.lastProblem } ?? "no list came"
                        end.yield(.failed("not synced after 30 s: \(problem)"))
                    }
                }
            }
        }
    }

    // MARK: Talk

    private func take(_ notice: WatchNotice) {
        switch notice {
        case .listing(let nodes, let bytes):
            state.withLock {
                $0.status.show(
                    "\(name) · \(NumberText.grouped(nodes)) nodes, \(NumberText.bytes(bytes)) …")
            }
        case .synced(let sync): synced(sync)
        case .problem(let error, let delay, let version): problem(error, delay, version)
        case .resumed(let outage):
            say("resumed after \(NumberText.seconds(outage)), nothing missed")
        case .rejected(let node, let reason):
            say(
                "left out an object\(node.isEmpty ? "" : " of node \(node)"): \(reason); "
                    + "its last good state stays")
        case .handlerFailed: break
        }
    }

    private func synced(_ sync: WatchNotice.Sync) {
        let nodes = "\(NumberText.grouped(sync.objects)) node\(sync.objects == 1 ? "" : "s")"
        let cost = "(\(sync.way), \(sync.wireFormat.name), \(NumberText.bytes(sync.bytes)))"
        let informer = state.withLock { state in
            state.status.clear()
            state.isSynced = true
            state.lastProblem = nil
            return state.informer
        }
        if sync.isRelist {
            say("listed again: \(nodes) in \(NumberText.seconds(sync.duration)) \(cost)")
        } else {
            let total = informer.map { " · \(storageText($0.store))" } ?? ""
            Talk.say("\(name) · \(nodes) in \(NumberText.seconds(sync.duration)) \(cost)\(total)")
        }
        // Of connecting, and of the list that comes in beside the one that is there.
        process_memory_give_back()
        if options.stopsWhenSynced { end.yield(.synced) }
    }

    /// "reported image storage ≥ 182 TiB, compressed".
    private func storageText(_ store: NodeStore) -> String {
        let nodes = store.nodes
        let detector = ImageChangeDetector(cap: options.cap, knowing: nodes)
        var total = 0
        var isLowerBound = false
        var bases: Set<ImageSizeBasis> = []
        for node in nodes {
            guard let bytes = node.imageBytes else {
                isLowerBound = true
                continue
            }
            let (sum, overflow) = total.addingReportingOverflow(bytes)
            total = overflow ? .max : sum
            isLowerBound = isLowerBound || overflow || detector.isTruncated(node)
            bases.insert(node.basis)
        }
        let basis =
            switch bases {
            case [.reportedCompressed]: ", compressed"
            case [.reportedUncompressed]: ", uncompressed"
            case []: ""
            default: ", partly compressed"
            }
        return "reported image storage \(isLowerBound ? "≥ " : "")\(ByteText.text(total))\(basis)"
    }

    private func problem(_ error: KubeError, _ delay: Duration, _ version: String?) {
        let text = ProblemText.text(error, client.configuration)
        let isSynced = state.withLock { state in
            state.lastProblem = text
            return state.isSynced
        }
        if !isSynced, ProblemText.isHopeless(error) {
            end.yield(.failed(text))
            return
        }
        say(ProblemText.line(text, error, delay, version))
    }

    private func say(_ text: String) {
        state.withLock { state in
            state.status.clear()
            Talk.say("\(Terminal.time)  \(text)")
        }
    }

    // MARK: Statistics

    private func printStatistics(_ informer: SharedNodeInformer) {
        let statistics = informer.statistics
        let (changes, alerts) = state.withLock { ($0.changes, $0.alerts) }
        let cost = ProcessCost.now
        let line = StatisticsLine(
            nodes: informer.store.count, events: statistics.events, changes: changes,
            alerts: alerts, bytes: statistics.bytes,
            wireFormat: Nullable(statistics.wireFormat?.rawValue),
            initialSync: Nullable(statistics.initialSync?.kind.rawValue),
            syncSeconds: Nullable(statistics.initialSync.map { $0.duration / .seconds(1) }),
            cpuSeconds: cost.cpuSeconds, maxRSSBytes: cost.maxRSSBytes,
            reconnects: statistics.reconnects, relists: statistics.relists,
            rejected: statistics.rejected)
        if let text = try? Output.json(line) { Talk.say(text) }
    }
}

/// The line `--stats` prints.
private struct StatisticsLine: Encodable {
    var nodes: Int
    var events: Int
    var changes: Int
    var alerts: Int
    var bytes: Int
    var wireFormat: Nullable<String>
    var initialSync: Nullable<String>
    var syncSeconds: Nullable<Double>
    var cpuSeconds: Double
    var maxRSSBytes: Int
    var reconnects: Int
    var relists: Int
    var rejected: Int
}
