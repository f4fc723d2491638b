import WatchEngine

/// Ends requests and waits from another thread. Sticky: what is begun with it later ends at once.
package final class Canceller: Sendable {
    // SAFETY: the engine's canceller is thread-safe and counted.
    nonisolated(unsafe) package let handle: OpaquePointer

    package init() throws(KubeError) {
        guard let handle = plm_canceller_create() else { throw .outOfMemory }
        self.handle = handle
    }

    deinit { plm_canceller_release(handle) }

    package var isCancelled: Bool { plm_canceller_is_cancelled(handle) }
    package func cancel() { plm_canceller_cancel(handle) }

    /// Sleeps on the calling thread. Returns whether it was cancelled.
    package func sleep(_ duration: Duration) -> Bool {
        plm_canceller_sleep(handle, duration.milliseconds)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, as far as they fit.
    package var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        let value = Double(seconds) * 1000 + Double(attoseconds) / 1e15
        return Int32(clamping: Int(min(value.rounded(.up), 2e9)))
    }
}
