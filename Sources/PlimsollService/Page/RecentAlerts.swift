public import ImageAlerts
import Synchronization

/// The alerts that were told last, and who listens for more. Thread-safe.
public final class RecentAlerts: Sendable {
    private struct State: Sendable {
        /// The latest first.
        var alerts: [Alert] = []
        var listeners: [Int: AsyncStream<String>.Continuation] = [:]
        var next = 0
    }

    private static let most = 200
    /// A listener that does not read is told no more than this late.
    private static let mostUnread = 100

    private let state = Mutex(State())

    /// Nothing was told yet.
    public init() {}

    /// Takes in an alert, once.
    public func add(_ alert: Alert) {
        let listeners = state.withLock { state in
            if state.alerts.contains(where: { $0.id == alert.id }) {
                return [Int: AsyncStream<String>.Continuation]().values
            }
            state.alerts.insert(alert, at: 0)
            if state.alerts.count > Self.most { state.alerts.removeLast() }
            return state.listeners.values
        }
        guard !listeners.isEmpty else { return }
        let event = "event: alert\nid: \(alert.id)\ndata: \(alert.jsonLine)\n\n"
        for listener in listeners { listener.yield(event) }
    }

    /// The latest first.
    public var all: [Alert] { state.withLock { $0.alerts } }

    /// Those that come from now on, as server-sent events.
    func events() -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingOldest(Self.mostUnread))
        let id = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.listeners[id] = nil }
        }
        return stream
    }
}
