import KubeClient
import WatchEngine

/// One list or watch. Belongs to the thread that made it.
final class WatchStream {
    private let handle: OpaquePointer

    /// Opens a request. Faults come with the first batch.
    ///
    /// - Parameter projection: What is to be decoded.
    /// - Throws: `memory`.
    init(
        _ engine: borrowing EngineClient, _ request: EngineRequest,
        _ projection: UnsafePointer<plm_projection>
    ) throws(KubeError) {
        handle = try engine.open(request, projection)
    }

    deinit { plm_stream_destroy(handle) }

    /// From now on bytes gather for so long before they are read.
    func setWindow(_ window: Duration) {
        plm_stream_set_window(handle, window.milliseconds)
    }

    /// Waits for events, `timeout` at most, and lends them to `body`. A batch without events means
    /// that nothing came in time.
    func next<Result>(
        within timeout: Duration, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        var batch = plm_batch()
        _ = plm_stream_next(handle, timeout.milliseconds, &batch)
        return body(UnsafeBufferPointer(start: batch.events, count: batch.count), batch)
    }
}
