package import KubeClient
package import WatchEngine

/// Ends streams and waits from another thread. Sticky: what is begun with it later ends at once.
package final class Canceller: Sendable {
    // SAFETY: the engine's canceller is thread-safe and counted.
    nonisolated(unsafe) let handle: OpaquePointer

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

/// One list or watch. Belongs to the thread that made it.
package struct NodeStream: ~Copyable {
    private let handle: OpaquePointer

    /// Opens a request. Faults come with the first batch.
    ///
    /// - Throws: `memory`.
    package init(
        _ engine: borrowing EngineClient, target: String, token: String, canceller: Canceller
    ) throws(KubeError) {
        let handle = NodeLabels.withProjection { projection in
            target.withCString { target in
                withText(Array(token.utf8)) { token in
                    var request = plm_request(
                        method: nil, target: target, accept: nil, content_type: nil,
                        body: plm_text(), bearer_token: token, response_timeout_ms: 0,
                        total_timeout_ms: 0, canceller: canceller.handle)
                    return plm_stream_open(engine.handle, &request, projection)
                }
            }
        }
        guard let handle else { throw .outOfMemory }
        self.handle = handle
    }

    deinit { plm_stream_destroy(handle) }

    /// Waits for events, `timeout` at most, and lends them to `body`. A batch without events means
    /// that nothing came in time.
    package func next<Result>(
        within timeout: Duration, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        var batch = plm_batch()
        _ = plm_stream_next(handle, timeout.milliseconds, &batch)
        return body(UnsafeBufferPointer(start: batch.events, count: batch.count), batch)
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, as far as they fit.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        let value = Double(seconds) * 1000 + Double(attoseconds) / 1e15
        return Int32(clamping: Int(min(value.rounded(.up), 2e9)))
    }
}
