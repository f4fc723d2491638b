package import KubeClient
package import WatchEngine

/// What the engine makes of a response whose bytes come from elsewhere than the network: a recording, a
/// simulated server. Goes before the client it was made from; belongs to that client's thread.
package final class ReceivedResponse {
    private let handle: OpaquePointer

    /// - Throws: `memory`.
    package init(
        _ engine: borrowing EngineClient, _ projection: UnsafePointer<plm_projection>
    ) throws(KubeError) {
        guard let handle = plm_response_create(engine.handle, projection) else {
            throw .outOfMemory
        }
        self.handle = handle
    }

    deinit { plm_response_destroy(handle) }

    /// The head has come. What a batch points to is valid until the next call.
    package func head(status: Int, contentType: String, retryAfter: Int?) -> plm_batch {
        var (contentType, batch) = (contentType, plm_batch())
        contentType.withUTF8 { type in
            type.withMemoryRebound(to: CChar.self) { type in
                var head = plm_head()
                head.status = Int32(clamping: status)
                head.http_version = 1
                head.content_type = plm_text(bytes: type.baseAddress, length: type.count)
                head.retry_after_seconds = Int64(retryAfter ?? -1)
                plm_response_head(handle, &head, &batch)
            }
        }
        return batch
    }

    /// Some of the body has come.
    package func feed(_ bytes: UnsafeRawBufferPointer) -> plm_batch {
        var batch = plm_batch()
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else {
            return batch
        }
        plm_response_feed(handle, start, bytes.count, &batch)
        return batch
    }

    /// The body has ended in good order.
    package func end() -> plm_batch {
        var batch = plm_batch()
        plm_response_end(handle, &batch)
        return batch
    }

    /// The transfer has failed.
    package func fail(_ kind: plm_failure_kind, _ message: String) -> plm_batch {
        var batch = plm_batch()
        plm_response_fail(handle, kind, message, &batch)
        return batch
    }
}
