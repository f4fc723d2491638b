public import FoundationEssentials
public import KubeClient
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
    }

    private let silencer: Mutex<Silencer>
    private let queues: [SinkQueue]
    private let state: AlertState?

    /// - Parameters:
    ///   - file: Sinks, silences and grouping.
    ///   - state: Where alerts are kept until they are taken; nil: in memory alone.
    ///   - client: Of the cluster, for events on nodes.
    ///   - userAgent: How to introduce ourselves, "name/version".
    ///   - onEvent: Told what happens, on any thread.
    public init(
        _ file: RuleFile, state: AlertState? = nil, client: KubeClient?, userAgent: String,
        onEvent: @escaping @Sendable (Event) -> Void
    ) throws(KubeError) {
        self.state = state
        silencer = Mutex(Silencer(file.silences))
        queues = file.sinks.map { sink in
            let name = sink.name
            return SinkQueue(
                SinkSender(sink: sink, client: client, userAgent: userAgent), file.grouping,
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
        guard let state else { return }
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
        guard state == nil else { return try resume(at: time) }
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
        return told
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
