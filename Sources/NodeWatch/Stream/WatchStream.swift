package import KubeClient
package import WatchEngine

/// One list or watch. Belongs to the thread that made it.
package struct WatchStream: ~Copyable {
    private let handle: OpaquePointer

    /// Opens a request; the projection is copied. Faults come with the first batch.
    ///
    /// - Throws: `memory`.
    package init(
        _ engine: borrowing EngineClient, target: String, token: String, canceller: Canceller,
        responseTimeout: Duration?,
        withProjection: ((UnsafePointer<plm_projection>) -> OpaquePointer?) -> OpaquePointer?
    ) throws(KubeError) {
        let engine = engine.handle
        let handle = withProjection { projection in
            target.withCString { target in
                withText(Array(token.utf8)) { token in
                    var request = plm_request(
                        method: nil, target: target, accept: nil, content_type: nil,
                        body: plm_text(), bearer_token: token,
                        response_timeout_ms: responseTimeout?.milliseconds ?? 0,
                        total_timeout_ms: 0, canceller: canceller.handle)
                    return plm_stream_open(engine, &request, projection)
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
