import KubeClient
import WatchEngine

/// The network, with a record of all that is asked and answered. What a recording holds is what came, and
/// nothing that was sent but path, query and Accept: no credentials.
final class Recorder: Surroundings {
    private let network: Network
    private let recording: Recording
    private let began: ContinuousClock.Instant

    init(_ network: Network, _ recording: Recording) {
        self.network = network
        self.recording = recording
        began = network.now
    }

    var now: ContinuousClock.Instant { network.now }
    var isCancelled: Bool { network.isCancelled }
    func sleep(_ delay: Duration) -> Bool { network.sleep(delay) }
    func chance() -> Double { network.chance() }
    func setWindow(_ window: Duration) { network.setWindow(window) }
    func retireImages(_ ids: [UInt32]) { network.retireImages(ids) }
    func credentialWasRefused() -> Bool { network.credentialWasRefused() }
    func trace(_ trace: KubeTrace) { network.trace(trace) }

    func open(
        _ request: StreamRequest, _ projection: UnsafePointer<plm_projection>
    ) throws(KubeError) -> Bool {
        write(.open(target: request.target, accept: request.accept))
        var request = request
        request.keepsRaw = true
        do {
            return try network.open(request, projection)
        } catch {
            write(.failure("request", message: error.message))
            throw error
        }
    }

    func next<Result>(
        within timeout: Duration, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        network.next(within: timeout) { events, batch in
            write(events, batch)
            return body(events, batch)
        }
    }

    private func write(_ events: UnsafeBufferPointer<plm_event>, _ batch: plm_batch) {
        for event in events where event.kind == .head {
            let seconds = event.head.retry_after_seconds
            write(
                .head(
                    status: Int(event.head.status),
                    contentType: event.head.content_type.string ?? "",
                    retryAfter: seconds < 0 ? nil : Int(seconds)))
        }
        if batch.raw.length > 0 { write(.body(Array(batch.raw.raw))) }
        for event in events {
            switch event.kind {
            case .end: write(.end)
            case .failure:
                let failure = event.failure
                write(
                    .failure(failure.kind.recordedName, message: failure.message.string ?? ""))
            default: break
            }
        }
    }

    private func write(_ piece: RecordingPiece) { recording.write(piece, at: network.now - began) }
}
