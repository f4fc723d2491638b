import KubeClient
package import WatchEngine

/// One list or watch. Belongs to the thread that made it.
package struct WatchStream: ~Copyable {
    private let handle: OpaquePointer

    /// Opens a request. Faults come with the first batch.
    ///
    /// - Parameter withProjection: Lends what is to be decoded.
    /// - Throws: `memory`.
    init(
        _ engine: borrowing EngineClient, _ request: EngineRequest,
        withProjection: ((UnsafePointer<plm_projection>) -> Opening) -> Opening
    ) throws(KubeError) {
        handle = try withProjection { projection in
            Opening { () throws(KubeError) in try engine.open(request, projection) }
        }.get()
    }

    /// What opening gives: the engine's stream.
    typealias Opening = Result<OpaquePointer, KubeError>

    deinit { plm_stream_destroy(handle) }

    /// From now on bytes gather for so long before they are read.
    package func setWindow(_ window: Duration) {
        plm_stream_set_window(handle, window.milliseconds)
    }

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
