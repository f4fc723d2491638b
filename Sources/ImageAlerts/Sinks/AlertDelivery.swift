public import FoundationEssentials
public import KubeClient
package import NodeWatch
import Synchronization

/// Brings alerts to those who are to be told: silences keep back, sinks are told, each by a task of its own.
/// Thread-safe.
public final class AlertDelivery: Sendable {
    /// What happens to a sink's alerts.
    public enum Event: Sendable {
        /// It took so many.
        case delivered(sink: String, alerts: Int)
        /// It did not, and is told again after a while.
        case failed(sink: String, reason: String, again: Duration)
        /// So many are given up.
        case dropped(sink: String, reason: String, alerts: Int)
        /// They are another's to tell, who leads.
        case keptBack([Alert])
    }

    private let silencer: Mutex<Silencer>
    private let queues: [SinkQueue]
    private let state: AlertState?
    /// What waits while another leads; nil: this process leads, or is alone.
    private let ledger: Mutex<StandbyLedger?>
    private let onEvent: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - file: Sinks, silences and grouping.
    ///   - state: Where alerts are kept until they are taken; nil: in memory alone.
    ///   - right: Whether this process may tell, where it is one of several; nil: it is not. Then it stands by
    ///     until ``lead()``.
    ///   - client: Of the cluster, for events on nodes.
    ///   - userAgent: How to introduce ourselves, "name/version".
    ///   - onEvent: Told what happens, on any thread.
    public init(
        _ file: RuleFile, state: AlertState? = nil, right: SendingRight? = nil, client: KubeClient?,
        userAgent: String,
        onEvent: @escaping @Sendable (Event) -> Void
    ) throws(KubeError) {
        self.state = state
        self.onEvent = onEvent
        ledger = Mutex(right.map { _ in StandbyLedger() })
        silencer = Mutex(Silencer(file.silences))
        queues = file.sinks.map { sink in
            let name = sink.name
            return SinkQueue(
                SinkSender(sink: sink, client: client, userAgent: userAgent), file.grouping, right,
                onDelivered: { state?.strike($0, from: name) }
            ) { event in
                switch event {
                case .delivered(let alerts): onEvent(.delivered(sink: name, alerts: alerts))
                case .failed(let reason, let again):
                    onEvent(.failed(sink: name, reason: reason, again: again))
                case .dropped(let reason, let alerts):
                    onEvent(.dropped(sink: name, reason: reason, alerts: alerts))
                }
            }
        }
    }

    /// How many alerts wait for each sink.
    public var waiting: [(sink: String, alerts: Int)] { queues.map { ($0.sink.name, $0.count) } }

    /// Whether anybody is told.
    public var hasSinks: Bool { !queues.isEmpty }

    /// Lets wait again what sinks had not taken when the last process ended.
    ///
    /// - Throws: `file`.
    public func resume(at time: Date) throws(KubeError) {
        try state.map { state throws(KubeError) in try fill(from: state, at: time) }
        if ledger.withLock({ $0 != nil }) { keepWaiting(at: nil) }
    }

    private func fill(from state: AlertState, at time: Date) throws(KubeError) {
        state.forgetSinks(butNot: queues.map(\.sink.name))
        for queue in queues {
            for alert in try state.waiting(for: queue.sink.name) { queue.add(alert, at: time) }
        }
    }

    /// Takes what fires already, after a restart or in another's place: some sinks must hear of it again and
    /// again, and what was silenced is told when that ends.
    public func adopt(_ lasting: [Alert], at time: Date) {
        for alert in lasting where !silencer.withLock({ $0.adopt(alert, at: time) }) {
            for queue in queues { queue.adopt(alert) }
        }
    }

    /// Takes over what waits in another that does not run any more. With a state, that has it already.
    public func takeOver(_ other: AlertDelivery, at time: Date) throws(KubeError) {
        ledger.withLock { [ledger = other.ledger.withLock { $0 }] in $0 = ledger }
        if let state { return try fill(from: state, at: time) }
        for old in other.queues {
            guard let queue = queues.first(where: { $0.sink.name == old.sink.name }) else {
                continue
            }
            for alert in old.takeWaiting() { queue.add(alert, at: time) }
        }
    }

    /// Takes alerts, and those whose silence is over by now. Returns those that are not kept back.
    public func deliver(
        _ alerts: [Alert], from engine: inout AlertEngine, at time: Date
    ) -> [Alert] {
        deliver(alerts, from: &engine, at: time, position: nil, isOfTime: true)
    }

    /// The same, of one of several: what it would tell while another leads is kept back, too.
    ///
    /// - Parameters:
    ///   - position: How far the view had come from which they were made.
    ///   - isOfTime: No change made them.
    package func deliver(
        _ alerts: [Alert], from engine: inout AlertEngine, at time: Date,
        position: ResourceVersion?, isOfTime: Bool
    ) -> [Alert] {
        var told = silencer.withLock { silencer in
            silencer.advance(to: time) + silencer.pass(alerts, at: time)
        }
        if let state {
            let memory = engine.takeMemory()
            if told.isEmpty, memory.isEmpty { return [] }
            // On the disk before anybody is told.
            told = state.record(
                told, for: queues.map(\.sink.name), memory: memory, at: time)
        }
        for alert in told {
            for queue in queues { queue.add(alert, at: time) }
        }
        let surplus = ledger.withLock { ledger in
            ledger?.add(told, at: position, isOfTime: isOfTime, now: .now)
        }
        guard let surplus else { return told }
        drop(surplus)
        if !told.isEmpty { onEvent(.keptBack(told)) }
        return []
    }

    // MARK: One of several

    /// This process leads from now on. Returns what it had kept to itself.
    ///
    /// - Parameter lasting: What fires already.
    package func lead(_ lasting: [Alert], at time: Date) -> [Alert] {
        for queue in queues { queue.forgetFiring() }
        adopt(lasting, at: time)
        defer { for queue in queues { queue.wake() } }
        return ledger.withLock { ledger in
            defer { ledger = nil }
            return ledger?.takeAll() ?? []
        }
    }

    /// Another leads from now on: what waits here it tells, too.
    package func standBy(progress: ResourceVersion?) {
        for queue in queues { queue.forgetFiring() }
        keepWaiting(at: progress)
    }

    /// Lets go of what has been told by one who has told all up to a position.
    package func forgetTold(upTo told: ResourceVersion, progress: ResourceVersion?) {
        drop(
            ledger.withLock {
                $0?.takeTold(upTo: told, progress: progress, now: .now) ?? []
            })
    }

    /// The ids of what waits for any sink.
    package var unsent: Set<String> {
        Set(queues.flatMap { $0.waitingAlerts.map(\.id) })
    }

    private func drop(_ alerts: [Alert]) {
        if alerts.isEmpty { return }
        let ids = Set(alerts.map(\.id))
        for queue in queues {
            queue.drop(ids)
            state?.strike(alerts, from: queue.sink.name)
        }
    }

    /// What waits in queues waits for another to tell it.
    private func keepWaiting(at position: ResourceVersion?) {
        let waiting = queues.flatMap(\.waitingAlerts)
        let surplus = ledger.withLock { ledger in
            var next = ledger ?? StandbyLedger()
            defer { ledger = next }
            return next.add(waiting, at: position, isOfTime: true, isKnown: true, now: .now)
        }
        drop(surplus)
    }

    /// Tells sinks until the task is cancelled.
    public func run() async {
        await withTaskGroup { group in
            for queue in queues { group.addTask { await queue.run() } }
        }
    }

    /// Tells all that waits, for so long at most. Returns how many alerts were not taken, by sink.
    public func drain(within patience: Duration) async -> [(sink: String, alerts: Int)] {
        await withTaskGroup { group in
            for queue in queues { group.addTask { _ = await queue.drain(within: patience) } }
        }
        return waiting.filter { $0.alerts > 0 }
    }
}
