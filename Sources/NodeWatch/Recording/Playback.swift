package import KubeClient
package import WatchEngine

/// The surroundings as they were recorded: the server's answers, and their time. Time passes without
/// waiting, or at a pace; chance has no say. The same recording gives the same, each time.
///
/// Belongs to one thread.
package final class Playback: Surroundings {
    /// What a recording was played back to.
    package struct Report: Sendable {
        /// Time from its beginning to its last piece.
        package var duration = Duration.zero
        package var requests = 0
        /// Requests that this program would not have made so.
        package var departures = 0
        package var isCut = false
        /// Why it ended before its end.
        package var fault: KubeError?
    }

    /// Called after each batch has been taken in.
    package var afterBatch: () -> Void = {}
    package private(set) var report = Report()

    private let reader: RecordingReader
    private let canceller: Canceller
    /// Recorded time in one unit of ours; nil: without waiting.
    private let pace: Double?
    private let engine: EngineClient
    private let base = ContinuousClock.now
    private let clock = ContinuousClock()

    private var response: ReceivedResponse?
    private var bodyBytes: UInt64 = 0
    private var elapsed = Duration.zero
    /// What comes next, and when.
    private var upcoming: (piece: RecordingPiece, at: Duration)?

    /// - Parameters:
    ///   - pace: 2: twice as fast as it was; nil: as fast as it can be read.
    /// - Throws: `memory`; `file`.
    package init(
        _ reader: RecordingReader, pace: Double?, limits: DecodingLimits, _ canceller: Canceller
    ) throws(KubeError) {
        self.reader = reader
        self.pace = pace
        self.canceller = canceller
        engine = try .forDecoding(limits: limits)
        advance()
    }

    // What is made from an engine goes before it.
    deinit { response = nil }

    /// Since the recording began.
    package var time: Duration { elapsed }

    // MARK: Time and chance

    package var now: ContinuousClock.Instant { base.advanced(by: elapsed) }
    package var isCancelled: Bool { upcoming == nil || canceller.isCancelled }
    /// Hardly ever later than it was then.
    package func chance() -> Double { 0.01 }

    package func sleep(_ delay: Duration) -> Bool {
        response = nil
        pass(to: elapsed + delay)
        return isCancelled
    }

    /// Lets time pass.
    private func pass(to time: Duration) {
        guard time > elapsed else { return }
        elapsed = time
        guard let pace else { return }
        let due = base.advanced(by: elapsed / pace)
        let left = due - clock.now
        if left > .zero { _ = canceller.sleep(left) }
    }

    // MARK: Streams

    package func open(
        _ request: StreamRequest, _ projection: UnsafePointer<plm_projection>
    ) throws(KubeError) -> Bool {
        response = nil
        bodyBytes = 0
        // What is left of the exchange before is not asked for.
        while let next = upcoming {
            if case .open(let target, _) = next.piece {
                pass(to: next.at)
                if !request.isAlike(target) { report.departures += 1 }
                report.requests += 1
                advance()
                response = try ReceivedResponse(engine, projection)
                return report.requests == 1
            }
            advance()
        }
        return false
    }

    package func next<Result>(
        within timeout: Duration, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        let deadline = elapsed + timeout
        var batch = plm_batch()
        batch.body_bytes = bodyBytes
        while let next = upcoming, let response {
            if next.at > deadline {
                pass(to: deadline)
                break
            }
            let isDue = elapsed >= next.at
            pass(to: next.at)
            // The recording program had enough of this response. We come to that by ourselves at the same
            // time, or have to be told.
            if case .open = next.piece, !isDue { break }
            if let come = take(next.piece, response) {
                batch = come
                bodyBytes = max(bodyBytes, come.body_bytes)
                if come.count > 0 { break }
            }
        }
        let result = body(UnsafeBufferPointer(start: batch.events, count: batch.count), batch)
        afterBatch()
        return result
    }

    /// Hands a piece to the response. Nil: nothing came of it.
    private func take(_ piece: RecordingPiece, _ response: ReceivedResponse) -> plm_batch? {
        // It stays for `open`.
        if case .open = piece {
            return response.fail(.transport, "the recording goes on with another request")
        }
        advance()
        switch piece {
        case .open: return nil
        case .head(let status, let contentType, let retryAfter):
            return response.head(status: status, contentType: contentType, retryAfter: retryAfter)
        case .body(let bytes): return bytes.withUnsafeBytes { response.feed($0) }
        case .end: return response.end()
        case .failure(let name, let message):
            return response.fail(plm_failure_kind(recordedName: name) ?? .transport, message)
        }
    }

    private func advance() {
        do throws(KubeError) {
            upcoming = try reader.next()
        } catch {
            upcoming = nil
            report.fault = error
        }
        if let upcoming { report.duration = max(report.duration, upcoming.at) }
        report.isCut = reader.isCut
    }

    package func setWindow(_ window: Duration) {}
    package func retireImages(_ ids: [UInt32]) {
        plm_client_retire_images(engine.handle, ids, ids.count)
    }
    package func credentialWasRefused() -> Bool { false }
    package func trace(_ trace: KubeTrace) {}
}

extension StreamRequest {
    /// Whether a request asks for the same, but for how long: that is chance.
    fileprivate func isAlike(_ other: String) -> Bool {
        Self.withoutTimeout(target) == Self.withoutTimeout(other)
    }

    private static func withoutTimeout(_ target: String) -> [Substring] {
        target.split { "?&".contains($0) }.filter { !$0.hasPrefix("timeoutSeconds=") }
    }
}
