import Synchronization

/// What time it is in a history, for everybody in it.
package final class SimulatedClock: Sendable {
    private let elapsed = Mutex(Duration.zero)

    package init() {}

    /// Since the beginning.
    package var now: Duration {
        get { elapsed.withLock { $0 } }
        set { elapsed.withLock { $0 = newValue } }
    }

    /// Seconds since 1970.
    package var seconds: Int { Alerting.epoch + Int(now.components.seconds) }
}
