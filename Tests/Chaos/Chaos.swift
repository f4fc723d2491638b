import ArgumentParser
import ClusterSimulator
import FoundationEssentials
import Histories
import KubeClient
import NodeWatch
import Synchronization

/// Faults over real sockets.
@main
struct Chaos: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Let everything go wrong between a simulated cluster and an informer, over TLS.",
        discussion: """
            Storms of faults take turns with calms. At the end of each the informer's store must equal the \
            server's nodes, every image set must have been reported as it is, and nothing may have been \
            reported without a difference; threads, descriptors and memory must not grow. A seed gives the \
            same faults in the same order; when they strike is up to the machine.
            """)

    @Option(help: ArgumentHelp("Of faults and churn.", valueName: "number"))
    var seed: UInt64 = 1
    @Option(help: ArgumentHelp("End after so many.", valueName: "number"))
    var faults = 10_000
    @Option(help: "Nodes of the cluster.")
    var nodes = 500
    @Flag(name: .customLong("http2"), help: "Over HTTP/2.")
    var speaksHTTP2 = false
    @Option(help: ArgumentHelp("Write what happens.", valueName: "file"))
    var log: String?

    func run() async throws {
        print("seed \(seed)")
        let log = Log(to: log)
        var clusterOptions = Cluster.Options()
        clusterOptions.nodeCount = nodes
        clusterOptions.seed = seed
        clusterOptions.historyLimit = 2000
        let cluster = Cluster(clusterOptions)
        var serverOptions = SimulatorServer.Options()
        serverOptions.bookmarkInterval = .milliseconds(250)
        let server = try await SimulatorServer(cluster, serverOptions)
        let relay = try await Relay(to: server.port)
        let clock = ContinuousClock()
        let start = clock.now
        let happened = Mutex<[NodeChange]>([])
        let blindness = Mutex(Blindness())
        let informer = try SharedNodeInformer(
            client: KubeClient(configuration(server, relay), http2: speaksHTTP2),
            options: Self.impatience
        ) { notice in
            let now = clock.now
            blindness.withLock { $0.observe(notice, now) }
        }
        informer.addHandler { change in happened.withLock { $0.append(change) } }
        let running = Task { try await informer.run() }
        guard await informer.store.synced() else { throw ExitCode(1) }

        var life = Life(cluster, seed: seed ^ 0x4c49_4645, pace)
        let observer = Observer(cluster, log)
        let stage = Stage(server, relay, informer, log) { clock.now - start }
        var checkIsDue = false
        life.check = { _ in checkIsDue = true }
        life.restored = { observer.wasRestored = true }
        func observe() {
            let changes = happened.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for change in changes { observer.observe(change, clock.now - start) }
        }
        var costs: [ProcessState] = []
        while observer.violations.isEmpty {
            let due = start + life.next
            if due > clock.now { try await clock.sleep(until: due, tolerance: .milliseconds(1)) }
            life.happen(in: stage)
            observe()
            guard checkIsDue else { continue }
            checkIsDue = false
            try await settle(informer, cluster, observe)
            observer.check(informer.store.nodes, clock.now - start)
            costs.append(ProcessState())
            Log.say(
                "\(life.faultCount) faults, \(observer.alerts) alerts; \(costs[costs.count - 1])")
            if life.faultCount >= faults { break }
        }
        running.cancel()
        _ = await running.result
        try await relay.close()
        try await server.stop()
        report(life, observer, informer, blindness.withLock { $0 })
        let growth = ProcessState.growth(costs)
        for problem in observer.violations.prefix(10) + growth { print("  \(problem)") }
        guard observer.violations.isEmpty, growth.isEmpty else {
            let version = speaksHTTP2 ? " --http2" : ""
            print(
                "try it again with: chaos --seed \(seed) --faults \(faults) --nodes \(nodes)\(version)"
            )
            throw ExitCode(1)
        }
    }

    /// Times are short, so that much can happen in minutes.
    private static var impatience: RunnerOptions {
        var options = RunnerOptions()
        options.reflector.backoffStart = .milliseconds(4)
        options.reflector.backoffLimit = .milliseconds(40)
        options.reflector.quickLimit = .milliseconds(4)
        options.batchWindow = .milliseconds(4)
        options.silencePatience = .seconds(2)
        options.probePatience = .seconds(2)
        options.endBookmarkPatience = .seconds(2)
        return options
    }

    private var pace: Life.Options {
        var options = Life.Options()
        options.nodes = nodes
        options.heartbeatInterval = .seconds(10)
        options.storm = .seconds(15)
        options.retryAfter = 0...0
        options.rareTimes = 3
        options.calm = .seconds(3)
        options.meanChange = .milliseconds(50)
        options.meanFault = .milliseconds(12)
        options.stall = .milliseconds(5)...(.milliseconds(60))
        options.refusal = .milliseconds(20)...(.milliseconds(100))
        options.outage = .milliseconds(200)...(.milliseconds(600))
        options.longOutage = .seconds(1)...(.seconds(3))
        options.silence = .milliseconds(2600)
        options.endlessList = .milliseconds(2600)
        options.drip = 2_000_000...8_000_000
        options.restoration = .seconds(2)
        options.backupAge = .seconds(8)
        // The informer runs once, and has its certificates for good.
        options.kinds = FaultKind.allCases.filter { kind in
            kind != .newCertificates && kind != .restart && (speaksHTTP2 || kind != .goAway)
        }
        return options
    }

    private func configuration(
        _ server: SimulatorServer, _ relay: Relay
    ) throws -> KubeConfiguration {
        let text = server.kubeconfig().replacing(
            "https://127.0.0.1:\(server.port)", with: "https://127.0.0.1:\(relay.port)")
        let file = FileManager.default.temporaryDirectory.appending(path: "chaos-\(server.port)")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try .load(.file(file.path))
    }

    /// Waits until the store is what the server has, or it is plain that it never will.
    private func settle(
        _ informer: SharedNodeInformer, _ cluster: Cluster, _ observe: () -> Void
    ) async throws {
        let truth = Set(cluster.report().map { "\($0.node.uid) \($0.node.resourceVersion)" })
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if Set(informer.store.nodes.map { "\($0.uid) \($0.resourceVersion)" }) == truth {
                break
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        // The handler hears of it a moment later.
        try await Task.sleep(for: .milliseconds(200))
        observe()
    }

    private func report(
        _ life: Life, _ observer: Observer, _ informer: SharedNodeInformer, _ blindness: Blindness
    ) {
        let counted = informer.statistics
        let counts = [
            (life.faultCount, "faults"), (life.faults.count, "kinds"), (counted.events, "events"),
            (counted.reconnects, "reconnects"), (counted.relists, "relists"),
            (counted.silences, "silences"), (counted.rewinds, "rewinds"),
            (observer.alerts, "alerts"),
            (observer.violations.count, "violations"),
        ]
        print("all: " + counts.map { "\($0.0) \($0.1)" }.joined(separator: ", "))
        print("blind: \(blindness)")
        for kind in FaultKind.allCases where life.faults[kind] != nil {
            print("  \(life.faults[kind] ?? 0) × \(kind.rawValue)")
        }
    }
}
