import FoundationEssentials
import KubeClient
import Synchronization

/// What waits for one sink, and the task that tells it: in order, again and again until it is taken. A sink
/// that is dead delays no other.
final class SinkQueue: Sendable {
    /// What becomes of alerts, for counts and logs.
    enum Event: Sendable {
        case delivered(alerts: Int)
        /// It is tried again.
        case failed(String, again: Duration)
        /// Given up.
        case dropped(String, alerts: Int)
    }

    private struct State: Sendable {
        var grouper: Grouper
        var waiting: [Notification] = []
        /// Of those that last, what Alertmanager is told again and again.
        var firing: [String: Alert] = [:]
        /// Something was taken over that may not have been told of for long.
        var mustRepeat = false
        /// So many found no room.
        var overflow = 0

        var count: Int { grouper.count + waiting.reduce(0) { $0 + $1.alerts.count } }
    }

    /// In memory, in alerts. What is more is counted, not told one by one.
    private static let mostAlerts = 10_000
    /// So many messages may wait for their turn; then all after the first are put together.
    private static let mostMessages = 20
    private static let firstBackoff = Duration.seconds(1)
    private static let longestBackoff = Duration.seconds(300)
    /// How soon a right to tell is noticed that nobody told of.
    private static let patience = Duration.seconds(1)
    /// Nobody waits longer for what is due by the machine's clock, which may be set.
    private static let longestWait = Duration.seconds(10)
    /// Alertmanager hears again of what lasts.
    private static let repetition = Duration.seconds(60)

    let sink: Sink
    private let sender: SinkSender
    private let limiter: RateLimiter
    private let state: Mutex<State>
    /// Rings when there may be something to tell before its time.
    private let alarm = Alarm()
    private let right: SendingRight?
    private let onDelivered: @Sendable ([Alert]) -> Void
    private let onEvent: @Sendable (Event) -> Void

    /// - Parameters:
    ///   - right: Whether anything may be sent now; nil: always.
    ///   - onDelivered: Told which alerts need not be told again, be it that they are given up.
    ///   - onEvent: Told what happens.
    init(
        _ sender: SinkSender, _ grouping: Grouper.Options, _ right: SendingRight?,
        onDelivered: @escaping @Sendable ([Alert]) -> Void,
        onEvent: @escaping @Sendable (Event) -> Void
    ) {
        sink = sender.sink
        self.sender = sender
        self.right = right
        self.onDelivered = onDelivered
        self.onEvent = onEvent
        limiter = RateLimiter(
            RequestRate(perSecond: Double(sink.perMinute) / 60, burst: max(1, sink.perMinute / 6)))
        var options = grouping
        if sink.groupsByItself { options.wait = .zero }
        state = Mutex(State(grouper: Grouper(options)))
    }

    /// Lets an alert wait that the sink wants.
    func add(_ alert: Alert, at time: Date) {
        guard sink.wants(alert) else {
            onDelivered([alert])
            return
        }
        let overflow = state.withLock { state -> Int? in
            guard state.count < Self.mostAlerts else {
                state.overflow += 1
                return state.overflow
            }
            state.grouper.add(alert, at: time)
            return nil
        }
        alarm.ring()
        // Said of the first, and now and then.
        if let overflow, overflow % 1000 == 1 {
            onEvent(.dropped("more than \(Self.mostAlerts) alerts wait for it", alerts: overflow))
        }
    }

    /// Takes what fires already, for a sink that must hear of it again and again.
    func adopt(_ alert: Alert) {
        guard case .alertmanager = sink.kind, sink.wants(alert) else { return }
        state.withLock { state in
            guard state.firing[alert.fingerprint] == nil else { return }
            state.firing[alert.fingerprint] = alert
            state.mustRepeat = true
        }
        alarm.ring()
    }

    /// What waits, for another queue in this one's place.
    func takeWaiting() -> [Alert] {
        state.withLock { state in
            defer { state.waiting = [] }
            state.waiting += state.grouper.take(Date(), everything: true)
            return state.waiting.flatMap(\.alerts)
        }
    }

    /// Lets go of alerts that need not be told any more.
    func drop(_ ids: Set<String>) {
        state.withLock { state in
            state.grouper.drop(ids)
            state.waiting = state.waiting.compactMap { $0.without(ids) }
        }
    }

    /// Somebody else tells what lasts from now on, or did until now.
    func forgetFiring() { state.withLock { $0.firing = [:] } }

    /// It may be that this process may tell now.
    func wake() { alarm.ring() }

    /// What waits, one by one.
    var waitingAlerts: [Alert] {
        state.withLock { $0.grouper.alerts + $0.waiting.flatMap(\.alerts) }
    }

    /// How many alerts wait.
    var count: Int { state.withLock { $0.count } }

    /// Tells until the task is cancelled.
    func run() async {
        var backoff = Self.firstBackoff
        var lastRepetition = ContinuousClock.now
        while !Task.isCancelled {
            guard mayBegin else {
                await alarm.wait(Self.patience)
                continue
            }
            let isTimeToRepeat = ContinuousClock.now - lastRepetition >= Self.repetition
            let batch = next(repeating: isTimeToRepeat)
            if isTimeToRepeat { lastRepetition = .now }
            guard !batch.isEmpty else {
                await alarm.wait(untilDue)
                continue
            }
            let pause = await tell(batch, &backoff)
            guard (try? await Task.sleep(for: pause)) != nil else { return }
        }
    }

    /// Tells what waits, without waiting for more of it, for so long at most. True when nothing is left.
    func drain(within patience: Duration) async -> Bool {
        let end = ContinuousClock.now + patience
        state.withLock { state in
            state.waiting += state.grouper.take(Date(), everything: true)
        }
        var backoff = Self.firstBackoff
        while ContinuousClock.now < end, mayBegin {
            let batch = next(repeating: false)
            if batch.isEmpty { return true }
            let pause = await tell(batch, &backoff)
            if ContinuousClock.now + pause > end { break }
            try? await Task.sleep(for: pause)
        }
        return count == 0
    }

    private var untilDue: Duration {
        guard let due = state.withLock({ $0.grouper.nextDue }) else { return Self.longestWait }
        let wait = Duration.seconds(due.timeIntervalSinceNow)
        return min(max(wait, .milliseconds(1)), Self.longestWait)
    }

    // MARK: Telling

    private var mayBegin: Bool { right.map { $0.timeLeft > .zero } ?? true }

    /// What is to be told at once; it goes on waiting until it has been.
    private func next(repeating: Bool) -> [Notification] {
        state.withLock { state in
            state.waiting += state.grouper.take(Date())
            if case .alertmanager = sink.kind {
                var batch = state.waiting
                let told = Set(batch.map(\.first.fingerprint))
                if repeating || state.mustRepeat {
                    state.mustRepeat = false
                    for (fingerprint, alert) in state.firing where !told.contains(fingerprint) {
                        batch.append(Notification([alert], group: fingerprint))
                    }
                }
                return batch
            }
            if !sink.groupsByItself, state.waiting.count > Self.mostMessages {
                // The first may have been tried: it keeps its id.
                let rest = Notification(digestOf: Array(state.waiting.dropFirst()))
                state.waiting = [state.waiting[0], rest]
            }
            if let most = sink.mostAlertsAtOnce,
                let (head, rest) = state.waiting.first?.split(after: most)
            {
                state.waiting.replaceSubrange(..<1, with: [head, rest])
            }
            return state.waiting.first.map { [$0] } ?? []
        }
    }

    /// One attempt. Returns how long to wait before the next.
    private func tell(_ batch: [Notification], _ backoff: inout Duration) async -> Duration {
        let turn = limiter.reserve()
        if turn > .zero { guard (try? await Task.sleep(for: turn)) != nil else { return .zero } }
        guard mayBegin else { return .zero }
        switch await sender.send(batch, at: Date(), right) {
        case .delivered:
            backoff = Self.firstBackoff
            let count = finish(batch)
            if count > 0 { onEvent(.delivered(alerts: count)) }
            return .zero
        case .refused(let reason):
            backoff = Self.firstBackoff
            onEvent(.dropped(reason, alerts: finish(batch)))
            return .zero
        case .later(let reason, let after):
            let chance = Double.random(in: 0.5...1)
            let pause = after.map { min($0, Self.longestBackoff) } ?? backoff * chance
            backoff = min(backoff * 2, Self.longestBackoff)
            if !Task.isCancelled { onEvent(.failed(reason, again: pause)) }
            return pause
        }
    }

    /// They need not be told again. Returns how many alerts that are.
    private func finish(_ batch: [Notification]) -> Int {
        let told = Set(batch.map(\.id))
        let alerts = state.withLock { state in
            let alerts = state.waiting.filter { told.contains($0.id) }.flatMap(\.alerts)
            state.waiting.removeAll { told.contains($0.id) }
            if case .alertmanager = sink.kind {
                for alert in alerts where alert.lasts {
                    state.firing[alert.fingerprint] = alert.status == .firing ? alert : nil
                }
            }
            return alerts
        }
        onDelivered(alerts)
        return alerts.count
    }
}

extension Notification {
    /// Many notifications as one: more than a receiver can be told one by one.
    init(digestOf notifications: [Notification]) {
        let alerts = notifications.flatMap(\.alerts)
        self.init(alerts, group: "digest")
        var rules: [String: Int] = [:]
        for alert in alerts { rules[alert.rule, default: 0] += 1 }
        let words = rules.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
            .map { "\($0.key) \($0.value)" }
        summary =
            "\(notifications[0].summary); and \(alerts.count - notifications[0].alerts.count) more alerts, together on "
            + "\(nodeCount) nodes (\(words.joined(separator: ", ")))"
    }
}
