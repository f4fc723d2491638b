import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch
import Synchronization

/// The alerting of one cluster: its engine, and what drives it: changes of nodes, time, and what kubelets
/// say.
final class ClusterAlerting: Sendable {
    /// How late what waits may come.
    private static let tick = Duration.seconds(1)
    /// In ticks: how often it is asked who is silent.
    private static let silenceTicks = 10
    /// How often it is kept that somebody watches.
    private static let beatTicks = 10
    /// So many ticks of a watch that is open without a break, and a server that is not as late as what had
    /// been told has gone back to an earlier state.
    private static let patienceTicks = 60
    /// Kubelets' failures that are told; then they are only counted.
    private static let mostProblems = 5

    /// Who brings alerts to sinks now.
    private struct Delivering: Sendable {
        var delivery: AlertDelivery
        var task: Task<Void, Never>?

        mutating func start() {
            task = Task { [delivery] in await delivery.run() }
        }
    }

    private let printer: Mutex<AlertPrinter>
    private let informer: SharedNodeInformer
    private let kubelets: KubeletClient?
    private let delivering: Mutex<Delivering>
    private let alertState: AlertState?
    /// Nil: this process is the only one.
    private let leadership: Leadership?
    private let lastPatience: Duration
    private let onLasting: @Sendable ([Alert]) -> Void
    private let problems = Mutex(0)
    /// Whether all nodes there are have been told.
    private let isSettled = Mutex(false)
    private let tell: @Sendable ([AlertPrinter.Line]) -> Void

    /// - Parameter tell: Called with what is to be said, one call at a time.
    init(
        _ engine: AlertEngine, _ informer: SharedNodeInformer, _ kubelets: KubeletClient?,
        _ delivery: AlertDelivery, _ state: AlertState?, _ leadership: Leadership?,
        _ format: AlertFormat, clusterWidth: Int,
        lastPatience: Duration, onLasting: @escaping @Sendable ([Alert]) -> Void,
        tell: @escaping @Sendable ([AlertPrinter.Line]) -> Void
    ) {
        printer = Mutex(
            AlertPrinter(engine, format, clusterWidth: clusterWidth, delivery: delivery) {
                informer.progress
            })
        delivering = Mutex(Delivering(delivery: delivery))
        alertState = state
        self.leadership = leadership
        self.informer = informer
        self.kubelets = kubelets
        self.lastPatience = lastPatience
        self.onLasting = onLasting
        self.tell = tell
    }

    /// Follows the changes to their end.
    ///
    /// - Parameters:
    ///   - isSilent: Nothing is made of them.
    ///   - onChange: Called for each that is not in the first list.
    func follow(
        _ changes: NodeChanges.AsyncIterator, isSilent: Bool, onChange: () -> Void
    ) async {
        var changes = changes
        let probe = kubelets.map { kubelets in
            ImageFileSystemProbe(kubelets) { [weak self] in self?.take($1, of: $0) }
        }
        let driving = Task { if !isSilent { await keepTime(probe) } }
        let settling = Task { if !isSilent { await settle() } }
        let asking = Task { await probe?.run() }
        let electing = Task { if !isSilent { await takePart() } }
        delivering.withLock { $0.start() }
        while let change = await changes.next() {
            if !change.isInitial { onChange() }
            if !isSilent { printer.withLock { tell($0.lines(change, at: Date())) } }
            if case .deleted(let node) = change { probe?.forget(node.name) }
        }
        driving.cancel()
        settling.cancel()
        asking.cancel()
        await driving.value
        await settling.value
        await asking.value
        await deliverLast()
        electing.cancel()
        await electing.value
    }

    private func deliverLast() async {
        let delivery = await stopDelivering()
        alertState?.beat(at: Date())
        if let leadership, !leadership.isLeading { return }
        let left = await delivery.drain(within: lastPatience)
        for (sink, count) in left {
            tell([.talk("sink \(sink): \(count) alert\(count == 1 ? "" : "s") not delivered")])
        }
        if left.isEmpty, let position = informer.progress { leadership?.report(position) }
    }

    // MARK: One of several

    /// Takes part in the election as soon as all nodes are known.
    private func takePart() async {
        guard let leadership, await informer.store.synced() else { return }
        await leadership.run { [weak self] in await self?.lead(leadership) }
    }

    /// Tells alerts until the task is cancelled, and takes down how far all has been told.
    private func lead(_ leadership: Leadership) async {
        printer.withLock { printer in
            tell(printer.lead(at: Date()))
            onLasting(printer.lastingAlerts(at: Date()))
        }
        var told = ToldPosition()
        while !Task.isCancelled {
            let position = informer.progress
            if await informer.waitUntilTold() {
                told.advance(to: position, unsent: delivering.withLock { $0.delivery }.unsent)
                if let position = told.position { leadership.report(position) }
            }
            try? await Task.sleep(for: Self.tick)
        }
        printer.withLock { _ in
            delivering.withLock { $0.delivery }.standBy(progress: informer.progress)
            onLasting([])
        }
    }

    /// Lets go of what another has told.
    private func forgetTold() {
        guard let leadership, !leadership.isLeading, let told = leadership.toldUpTo else { return }
        delivering.withLock { $0.delivery }.forgetTold(upTo: told, progress: informer.progress)
    }

    /// How many alerts wait for each sink.
    var waiting: [(sink: String, alerts: Int)] { delivering.withLock { $0.delivery }.waiting }

    private func stopDelivering() async -> AlertDelivery {
        let (delivery, task) = delivering.withLock { ($0.delivery, $0.task) }
        task?.cancel()
        await task?.value
        return delivery
    }

    /// Goes on with other rules and sinks. To be called by one task at a time.
    func replaceRules(_ rules: [Rule], _ delivery: AlertDelivery) async throws(KubeError) {
        _ = await stopDelivering()
        let nodes = informer.store.nodes
        let result = printer.withLock { printer -> Result<Void, KubeError> in
            do throws(KubeError) {
                tell(try printer.replaceRules(rules, delivery, nodes: nodes, at: Date()))
                // Under the same lock: who begins or ceases to lead meanwhile means this one.
                delivering.withLock { $0.delivery = delivery }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        delivering.withLock { $0.start() }
        try result.get()
    }

    /// Waits until nothing can come any more of what had been told before this process, and all nodes there
    /// are have been told; what is missing then is gone.
    private func settle() async {
        var patience = Self.patienceTicks
        while !printer.withLock({ $0.hasCaughtUp(with: informer.progress) }) {
            guard (try? await Task.sleep(for: Self.tick)) != nil else { return }
            let isWatching = informer.store.hasSynced && informer.freshness.state == .watching
            patience = isWatching ? patience - 1 : Self.patienceTicks
            if patience == 0 { break }
        }
        guard await informer.waitUntilTold() else { return }
        isSettled.withLock { $0 = true }
        let isStandingBy = leadership.map { !$0.isLeading } ?? false
        printer.withLock { printer in
            tell(printer.markListed(at: Date()))
            if !isStandingBy { onLasting(printer.lastingAlerts(at: Date())) }
        }
    }

    /// What only time brings.
    private func keepTime(_ probe: ImageFileSystemProbe?) async {
        var tick = 0
        while (try? await Task.sleep(for: Self.tick)) != nil {
            tick += 1
            forgetTold()
            let isSettled = isSettled.withLock { $0 }
            printer.withLock { printer in
                let time = Date()
                tell(printer.lines(at: time))
                if tick % Self.beatTicks == 1 { alertState?.beat(at: time) }
                if tick % Self.silenceTicks == 0, isSettled {
                    tell(
                        printer.lines(
                            silentNodes: informer.silentNodes,
                            stream: informer.freshness.sinceLastByte, at: time))
                }
                for node in printer.takeNodesToAsk() { probe?.ask(node) }
            }
        }
    }

    private func take(_ result: ImageFileSystemProbe.Result, of node: String) {
        switch result {
        case .success(let reading):
            printer.withLock { tell($0.lines(reading, of: node, at: Date())) }
        case .failure(let error):
            let count = problems.withLock { count in
                count += 1
                return count
            }
            if count > Self.mostProblems { return }
            let end =
                count == Self.mostProblems ? "; of further kubelets' failures nothing is said" : ""
            tell([.talk(error.message + end)])
        }
    }
}
