import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch
import PlimsollService
import ProcessMemory
import Synchronization

/// One run of the service.
final class ServiceSession: Sendable {
    /// What may end it.
    private enum End: Sendable {
        case signal(Int32)
        /// Nobody reads the alerts any more.
        case outputClosed
    }

    private let settings: ServiceSettings
    private let source: ConfigurationSource
    private let talk: WatchTalk
    private let cluster: ClusterWatch
    private let ends: AsyncStream<End>
    private let end: AsyncStream<End>.Continuation
    private let counters: ServiceCounters
    private let recentAlerts: RecentAlerts
    private let history: NodeHistory
    private let leadership: Leadership?
    private let isEnding = Mutex(false)
    private let bytes: [UInt8]?
    /// Labels that are kept of nodes for the rules.
    private let watchedLabels: [String]
    /// How often the file is looked at: a kubelet takes up to a minute to bring a ConfigMap anyway.
    private static let reloadInterval = Duration.seconds(2)

    private static let historyInterval = Duration.seconds(10)

    /// - Parameter bytes: The file that the configuration is from.
    init(
        _ client: KubeClient, _ configuration: ServiceConfiguration, _ source: ConfigurationSource,
        _ bytes: [UInt8]?
    ) throws {
        settings = configuration.settings
        self.source = source
        self.bytes = bytes
        watchedLabels = configuration.alerting.furtherLabels
        let (ends, end) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .unbounded)
        (self.ends, self.end) = (ends, end)
        let talk = WatchTalk(settings.logFormat ?? (Terminal.errorsAreTerminal ? .text : .json))
        self.talk = talk
        let counters = ServiceCounters()
        self.counters = counters
        let recentAlerts = RecentAlerts()
        self.recentAlerts = recentAlerts
        history = NodeHistory(start: Date(), keeps: settings.stateFolder != nil)
        leadership = try Leadership(client, settings) { talk.note($0, $1) }
        var options = Self.options(configuration)
        options.leadership = leadership
        cluster = ClusterWatch(client, options, talk, clusterWidth: 0) {
            event in
            switch event {
            case .outputClosed: end.yield(.outputClosed)
            case .alert(let alert):
                counters.count(alert)
                recentAlerts.add(alert)
            case .delivery(.keptBack(let alerts)): alerts.forEach(recentAlerts.add)
            case .lasting(let alert): counters.adopt(alert)
            case .delivery(let event): counters.count(event)
            case .synced, .failed: break
            }
        }
    }

    private static func options(_ configuration: ServiceConfiguration) -> WatchSession.Options {
        let settings = configuration.settings
        var options = WatchSession.Options()
        options.alerting = configuration.alerting
        options.detection.warmUp = settings.warmUp
        options.format = settings.output ?? .json
        options.writesAlerts = settings.output != nil
        options.selector = NodeSelector(
            labels: settings.selector, fields: settings.fieldSelector, shard: settings.shard)
        options.clusterName = settings.clusterName
        options.stateFolder = settings.stateFolder
        options.checkpoint = settings.stateFolder.map {
            NodeCheckpoint(path: $0 + "/nodes.checkpoint", clusterName: settings.clusterName)
        }
        options.staleAfter = settings.staleAfter
        options.shutdownPatience = settings.shutdownPatience
        options.kubelets = settings.asksKubelets ? KubeletClient.Trust() : nil
        options.isPatient = true
        return options
    }

    /// Runs until a signal. Returns the exit code.
    func run() async throws -> Int32 {
        let interruption = Interruption { [end] in end.yield(.signal($0)) }
        defer { withExtendedLifetime(interruption) {} }
        let informer = try cluster.makeInformer(startingAt: await leadership?.lastReport())
        history.restore(
            try cluster.history().map { ($0.node, .init(time: $0.time, bytes: $0.bytes)) })
        informer.addHandler { [history] in history.take($0, at: Date()) }
        let server = try await serve(informer)
        // Of reading arguments and configuration.
        process_memory_give_back()
        let watching = Task { [cluster] in await cluster.run() }
        let reloading = Task { await keepUpToDate() }
        let keeping = Task { await keepHistory() }

        let reason = await ends.first { _ in true } ?? .outputClosed
        isEnding.withLock { $0 = true }
        if case .signal = reason { talk.note("ending: sinks are told what waits") }
        reloading.cancel()
        await reloading.value
        watching.cancel()
        await watching.value
        keeping.cancel()
        await keeping.value
        await server.stop()
        if case .signal(SignalNumber.interrupt) = reason { return 130 }
        return 0
    }

    /// Keeps what nodes reported, now and then and at the end.
    private func keepHistory() async {
        repeat {
            try? await Task.sleep(for: Self.historyInterval)
            let points = history.takeUnkept().map { ($0.node, $0.point.time, $0.point.bytes) }
            cluster.keepHistory(points)
        } while !Task.isCancelled
    }

    // MARK: Reloading

    /// Takes up what the file says whenever it says something else.
    private func keepUpToDate() async {
        guard let path = source.path else { return }
        var known = bytes
        while (try? await Task.sleep(for: Self.reloadInterval)) != nil {
            let file = await DedicatedThread.run { [source] in
                Result { () throws(KubeError) in try source.bytes() }
            }
            guard case .success(let bytes) = file else {
                // It may be put in place right now; what is known goes on.
                continue
            }
            if bytes == known { continue }
            known = bytes
            await reload(bytes, path)
        }
    }

    private func reload(_ bytes: [UInt8]?, _ path: String) async {
        let next: ServiceConfiguration
        do {
            next = try source.configuration(bytes)
        } catch {
            for line in "\(error)".split(separator: "\n") { talk.note(String(line), .error) }
            talk.note("\(path) has changed and is not sound; what was before goes on", .error)
            counters.countReload(isSound: false)
            return
        }
        let missing = Set(next.alerting.furtherLabels).subtracting(watchedLabels)
        if !missing.isEmpty {
            let labels = missing.sorted().joined(separator: ", ")
            talk.note(
                "\(path) has changed: its rules select nodes by \(labels), which is kept of nodes after a "
                    + "restart only; what was before goes on", .error)
            counters.countReload(isSound: false)
            return
        }
        do {
            try await cluster.replaceAlerting(next.alerting)
        } catch {
            talk.note("\(path) has changed and cannot be used: \(error.message)", .error)
            counters.countReload(isSound: false)
            return
        }
        counters.countReload(isSound: true)
        let rules = next.alerting.rules.count
        let sinks = next.alerting.sinks.count
        talk.note(
            "\(path) has changed: \(rules) rule\(rules == 1 ? "" : "s") and \(sinks) sink"
                + "\(sinks == 1 ? "" : "s") from now on")
        let changed = next.settings.differences(from: settings)
        if !changed.isEmpty {
            talk.note(
                "\(changed.joined(separator: ", ")) of \(path) count after a restart", .warning)
        }
    }

    // MARK: HTTP

    private var address: ListenAddress {
        get throws {
            if let listen = settings.listen { return listen }
            let isInPod = !Terminal.variable("KUBERNETES_SERVICE_HOST").isEmpty
            guard let address = ListenAddress(isInPod ? ":8080" : "127.0.0.1:8080") else {
                throw Failure("there is no default address")
            }
            return address
        }
    }

    private func serve(_ informer: SharedNodeInformer) async throws -> HTTPServer {
        let health = HealthRoutes(
            live: { HealthReport(checks: [.informer("informer", informer)]) },
            ready: { [self] in
                HealthReport(checks: [
                    .watch("watch", informer, staleAfter: settings.staleAfter),
                    .init(name: "shutdown", objection: isEnding.withLock { $0 } ? "ending" : nil),
                ])
            })
        let metrics = ServiceMetrics(
            informer, counters, cap: .assumed, nodeLimit: settings.nodeSeries,
            version: Version.text, isLeading: leadership?.asked
        ) { [cluster] in cluster.waiting }
        let pages = Pages(
            informer, cluster: cluster.name, cap: .assumed, alerts: recentAlerts, history: history,
            version: Version.text,
            objection: { [settings] in
                informer.freshness.objection(staleAfter: settings.staleAfter)
            },
            role: { [leadership] in leadership?.role })
        let protection = try HTTPProtection(
            certificate: settings.tlsCertificate, key: settings.tlsKey, token: settings.tokenFile)
        let address = try address
        let server: HTTPServer
        do {
            server = try await HTTPServer(
                address,
                HTTPRoutes(
                    [health.answer, metrics.answer, Self.version, pages.answer],
                    paths: HealthRoutes.paths + ["/metrics", "/version"] + Pages.paths),
                protection)
        } catch let error as HTTPServer.CannotListen {
            throw Failure("\(error); choose another with --listen")
        }
        let scheme = protection.isEncrypted ? "https" : "http"
        talk.note("serving \(scheme)://\(address.host):\(server.port)")
        return server
    }

    @Sendable private static func version(_ request: HTTPRequest) -> HTTPAnswer? {
        guard request.path == "/version" else { return nil }
        return HTTPAnswer(
            200, "{\"version\":\"\(Version.text)\"}\n", contentType: "application/json")
    }
}
