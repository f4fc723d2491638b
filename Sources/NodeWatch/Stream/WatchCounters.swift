import KubeClient
import Synchronization

/// Counters and times that the stream's thread writes and anybody reads.
package final class WatchCounters: Sendable {
    private let values = Locked(WatchStatistics())
    private let record = Locked(FreshnessRecord())

    package init() {}

    package var current: WatchStatistics { values.withLock { $0 } }

    func update(_ change: (inout WatchStatistics) -> Void) { values.withLock { change(&$0) } }

    func note(_ change: (inout FreshnessRecord) -> Void) { record.withLock { change(&$0) } }

    var epoch: ContinuousClock.Instant? { record.withLock { $0.epoch } }

    func freshness(hasSynced: Bool, resourceVersion: String?) -> Freshness {
        record.withLock { $0 }.freshness(hasSynced: hasSynced, resourceVersion: resourceVersion)
    }
}
