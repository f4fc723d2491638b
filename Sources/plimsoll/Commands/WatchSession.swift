import ImageAlerts
import KubeClient
import NodeWatch
import PlimsollService
import ProcessMemory

/// One run of `watch`: the alerts of one or several clusters on standard output, the talk on standard
/// error.
final class WatchSession: Sendable {
    struct Options: Sendable {
        var format = AlertFormat.text
        var selector = NodeSelector.all
        var batchWindow = Duration.milliseconds(50)
        var isStrict = false
        var wireFormat = WireFormat.automatic
        var detection = ImageChangeDetector.Options()
        /// What makes alerts, and who is told.
        var alerting = RuleFile(rules: [.storageChanged])
        /// Where alerts and what they need are kept; of one cluster only.
        var stateFolder: String?
        /// How kubelets are believed; nil: they are not asked.
        var kubelets: KubeletClient.Trust?
        var stopsWhenSynced = false
        var duration: Duration?
        var printsStatistics = false
        var printsAlerts = true
        /// Whether alerts are written to standard output.
        var writesAlerts = true
        /// Whether trying goes on where only the user can mend it.
        var isPatient = false
        /// At the end sinks are told what waits, for no longer.
        var shutdownPatience = Duration.seconds(10)
        /// What to record all traffic to; of one cluster only.
        var recording: RecordingOrder?
        /// What the cluster is called, of one cluster only; nil: as its context.
        var clusterName: String?
        /// Where to keep what is known; of one cluster only.
        var checkpoint: NodeCheckpoint?
        /// Where to answer probes.
        var health: ListenAddress?
        var staleAfter = Duration.seconds(150)
        /// Nil: this process is the only one that watches.
        var leadership: Leadership?
    }

    /// What may end it.
    private enum End: Sendable {
        /// A cluster's list is whole.
        case synced
        case timeUp
        case signal(Int32)
        /// Nobody reads the alerts any more.
        case outputClosed
        case failed(String)
    }

    /// Before the first list nobody waits longer than this with `--until-synced`.
    private static let syncPatience = Duration.seconds(30)
    /// Columns for names of clusters.
    private static let mostClusterWidth = 24

    private let clients: [KubeClient]
    private let options: Options
    private let talk = WatchTalk()
    private let ends: AsyncStream<End>
    private let end: AsyncStream<End>.Continuation

    init(_ clients: [KubeClient], _ options: Options) {
        self.clients = clients
        self.options = options
        (ends, end) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .unbounded)
    }

    /// Watches until the options, a signal or a hopeless problem end it. Returns the exit code.
    func run() async throws -> Int32 {
        let clusters = makeClusters()
        let informers = try clusters.map { try $0.makeInformer() }
        let health = try await serveHealth(Array(zip(clusters.map(\.name), informers)))
        let interruption = Interruption { [end] in end.yield(.signal($0)) }
        defer { withExtendedLifetime(interruption) {} }
        // Of reading arguments and configuration.
        process_memory_give_back()
        let watching = clusters.map { cluster in Task { await cluster.run() } }
        let clock = Task { await limitTime(clusters) }
        let progress = Task { await showRecording(clusters) }

        let reason = await ends.first { self.isReason($0, clusters) } ?? .timeUp
        clock.cancel()
        progress.cancel()
        watching.forEach { $0.cancel() }
        for task in watching { await task.value }
        await health?.stop()
        talk.clear()
        tellRecording(clusters)
        if options.printsStatistics {
            for line in clusters.compactMap(\.statistics) { Talk.say(try Output.json(line)) }
        }
        return exitCode(reason, clusters)
    }

    private func makeClusters() -> [ClusterWatch] {
        let names = clients.map(\.configuration.contextName.count)
        let width = clients.count == 1 ? 0 : min(names.max() ?? 0, Self.mostClusterWidth)
        return clients.map { client in
            ClusterWatch(client, options, talk, clusterWidth: width) { [end] event in
                switch event {
                case .synced: end.yield(.synced)
                case .failed(let problem): end.yield(.failed(problem))
                case .outputClosed: end.yield(.outputClosed)
                case .alert, .lasting, .delivery: break
                }
            }
        }
    }

    private func isReason(_ end: End, _ clusters: [ClusterWatch]) -> Bool {
        guard case .synced = end else { return true }
        return options.stopsWhenSynced && clusters.allSatisfy(\.isSynced)
    }

    // MARK: Recording

    private func showRecording(_ clusters: [ClusterWatch]) async {
        guard let order = options.recording else { return }
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            talk.show("recording to \(order.name) · \(Self.recordedText(clusters)) …")
        }
    }

    private func tellRecording(_ clusters: [ClusterWatch]) {
        guard let order = options.recording else { return }
        Talk.say("recorded \(Self.recordedText(clusters)) to \(order.name)")
    }

    private static func recordedText(_ clusters: [ClusterWatch]) -> String {
        NumberText.bytes(clusters.compactMap(\.recordedBytes).reduce(0, +))
    }

    // MARK: Health

    private func serveHealth(
        _ informers: [(name: String, informer: SharedNodeInformer)]
    ) async throws -> HTTPServer? {
        guard let address = options.health else { return nil }
        let limit = options.staleAfter
        @Sendable func name(_ word: String, _ cluster: String) -> String {
            informers.count == 1 ? word : "\(word)/\(cluster)"
        }
        let health = HealthRoutes(
            live: {
                HealthReport(
                    checks: informers.map { .informer(name("informer", $0.name), $0.informer) })
            },
            ready: {
                HealthReport(
                    checks: informers.map {
                        .watch(name("watch", $0.name), $0.informer, staleAfter: limit)
                    })
            })
        let server = try await HTTPServer(
            address, HTTPRoutes([health.answer], paths: HealthRoutes.paths))
        Talk.say("health: http://\(address.host):\(server.port)/readyz")
        return server
    }

    // MARK: End

    private func exitCode(_ reason: End, _ clusters: [ClusterWatch]) -> Int32 {
        let late = clusters.filter { !$0.isSynced }
        switch reason {
        case .failed(let problem):
            Talk.say("Error: \(problem)")
            return 1
        case .signal(let number) where late.isEmpty || number == SignalNumber.interrupt:
            return number == SignalNumber.interrupt ? 130 : 0
        case .synced, .outputClosed: return 0
        case .timeUp, .signal:
            for cluster in late {
                let place = clusters.count == 1 ? "" : " of \(cluster.name)"
                let problem = cluster.lastProblem.map { ": \($0)" } ?? ""
                Talk.say("Error: the list of nodes\(place) never came\(problem)")
            }
            return late.isEmpty ? 0 : 1
        }
    }

    private func limitTime(_ clusters: [ClusterWatch]) async {
        var limits: [(Duration, End?)] = []
        if let duration = options.duration { limits.append((duration, .timeUp)) }
        if options.stopsWhenSynced { limits.append((Self.syncPatience, nil)) }
        await withTaskGroup(of: Void.self) { group in
            for (duration, reason) in limits {
                group.addTask { [self] in
                    guard (try? await Task.sleep(for: duration)) != nil else { return }
                    if let reason {
                        end.yield(reason)
                    } else if let late = clusters.first(where: { !$0.isSynced }) {
                        let place = clusters.count == 1 ? "" : "\(late.name) is "
                        let problem = late.lastProblem ?? "no list came"
                        end.yield(.failed("\(place)not synced after 30 s: \(problem)"))
                    }
                }
            }
        }
    }
}
