import WatchEngine

/// All of a small answer.
struct EngineAnswer {
    var status = 0
    var retryAfter: Duration?
    /// Of a refusal: what the server says of it.
    var refusal: KubeStatus?
    var body: [UInt8] = []
}

extension EngineClient {
    /// One request with its answer, on the calling thread.
    ///
    /// - Throws: What goes wrong on the way; a refusal is an answer.
    borrowing func exchange(_ request: EngineRequest) throws(KubeError) -> EngineAnswer {
        let stream = try open(request, nil)
        defer { plm_stream_destroy(stream) }
        var answer = EngineAnswer()
        while true {
            var batch = plm_batch()
            _ = plm_stream_next(stream, Duration.seconds(1).milliseconds, &batch)
            for event in UnsafeBufferPointer(start: batch.events, count: batch.count) {
                switch event.kind {
                case .head:
                    answer.status = Int(event.head.status)
                    if event.head.retry_after_seconds >= 0 {
                        answer.retryAfter = .seconds(event.head.retry_after_seconds)
                    }
                case .status: answer.refusal = KubeStatus(event.status)
                case .failure: throw KubeError(event.failure)
                default: break
                }
            }
            if batch.done {
                answer.body = Array(plm_stream_body(stream).raw)
                return answer
            }
        }
    }
}
