public import ImageAlerts
import Synchronization

/// What the service has counted since it began. Thread-safe.
public final class ServiceCounters: Sendable {
    private struct AlertKey: Hashable {
        var rule: String
        var severity: String
        var status: String
    }

    private struct SinkCounts {
        var delivered = 0
        var failures = 0
        var dropped = 0
    }

    private struct State {
        var alerts: [AlertKey: Int] = [:]
        /// By fingerprint: the rule and severity of what lasts and was told to have begun.
        var firing: [String: AlertKey] = [:]
        var sinks: [String: SinkCounts] = [:]
        var reloads: (sound: Int, unsound: Int) = (0, 0)
        /// Whether the file as it is now is what counts.
        var isCurrent = true
    }

    private let state = Mutex(State())

    /// Nothing counted.
    public init() {}

    /// Takes in an alert that was told.
    public func count(_ alert: Alert) {
        let key = AlertKey(
            rule: alert.rule, severity: alert.severity, status: alert.status.rawValue)
        state.withLock { state in
            state.alerts[key, default: 0] += 1
            if alert.lasts {
                state.firing[alert.fingerprint] = alert.status == .firing ? key : nil
            }
        }
    }

    /// Takes in all that lasts now, since before this process, or before it led.
    public func adopt(_ lasting: [Alert]) {
        let pairs = lasting.map { alert in
            (
                alert.fingerprint,
                AlertKey(
                    rule: alert.rule, severity: alert.severity, status: alert.status.rawValue)
            )
        }
        state.withLock { $0.firing = Dictionary(pairs) { $1 } }
    }

    /// Takes in what became of alerts at a sink.
    public func count(_ event: AlertDelivery.Event) {
        state.withLock { state in
            switch event {
            case .delivered(let sink, let alerts):
                state.sinks[sink, default: .init()].delivered += alerts
            case .failed(let sink, _, _): state.sinks[sink, default: .init()].failures += 1
            case .dropped(let sink, _, let alerts):
                state.sinks[sink, default: .init()].dropped += alerts
            case .keptBack: break
            }
        }
    }

    /// Takes in that the configuration has changed, and whether the new one counts.
    public func countReload(isSound: Bool) {
        state.withLock { state in
            if isSound { state.reloads.sound += 1 } else { state.reloads.unsound += 1 }
            state.isCurrent = isSound
        }
    }

    /// - Parameter waiting: How many alerts wait for each sink that there is.
    func write(to text: inout MetricsText, waiting: [(sink: String, alerts: Int)]) {
        state.withLock { state in
            text.family("plimsoll_alerts", .counter, "Alerts that were told, begun or ended.")
            for (key, count) in state.alerts.sorted(by: { Self.words($0.key) < Self.words($1.key) })
            {
                text.sample(
                    count,
                    [("rule", key.rule), ("severity", key.severity), ("status", key.status)])
            }
            text.family("plimsoll_alerts_firing", .gauge, "Alerts that last now.")
            let firing = Dictionary(grouping: state.firing.values) { $0 }
            for (key, all) in firing.sorted(by: { Self.words($0.key) < Self.words($1.key) }) {
                text.sample(all.count, [("rule", key.rule), ("severity", key.severity)])
            }
            Self.writeSinks(state.sinks, to: &text, waiting)
            text.single(
                "plimsoll_config_is_current", .gauge,
                "Whether the configuration file as it is now is what counts: 0 when it is not sound.",
                state.isCurrent ? 1 : 0)
            text.family(
                "plimsoll_config_reloads", .counter, "Changes of the configuration file.")
            text.sample(state.reloads.sound, [("result", "sound")])
            text.sample(state.reloads.unsound, [("result", "unsound")])
        }
    }

    private static func words(_ key: AlertKey) -> [String] { [key.rule, key.severity, key.status] }

    private static func writeSinks(
        _ sinks: [String: SinkCounts], to text: inout MetricsText,
        _ waiting: [(sink: String, alerts: Int)]
    ) {
        func write(_ value: (SinkCounts) -> Int) {
            for (name, _) in waiting {
                text.sample(value(sinks[name] ?? SinkCounts()), [("sink", name)])
            }
        }
        text.family("plimsoll_sink_delivered_alerts", .counter, "Alerts that a sink took.")
        write(\.delivered)
        text.family(
            "plimsoll_sink_failures", .counter, "Attempts to tell a sink that are made again.")
        write(\.failures)
        text.family("plimsoll_sink_dropped_alerts", .counter, "Alerts that were given up.")
        write(\.dropped)
        text.family("plimsoll_sink_waiting_alerts", .gauge, "Alerts that a sink has not taken yet.")
        for (name, count) in waiting { text.sample(count, [("sink", name)]) }
    }
}

extension [String] {
    fileprivate static func < (left: Self, right: Self) -> Bool {
        left.lexicographicallyPrecedes(right)
    }
}
