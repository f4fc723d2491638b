import ClusterSimulator
import Histories
import KubeClient
import NodeWatch
import WatchEngine

/// The surroundings of a simulated history: a server that is asked by calls, a path to it that breaks
/// in every way, and time that passes only while somebody waits.
final class World<Story: Happenings>: Surroundings, Scene {
    let server: InProcessServer
    /// What is wrong with the path now.
    var path = Path()
    /// What happens by itself, time after time.
    private(set) var life: Story
    private(set) var elapsed = Duration.zero
    /// Called after each batch has been taken in.
    var afterBatch: () -> Void = {}
    let log: Log

    private let base = ContinuousClock.now
    private let end: Duration
    var random: SeededRandom
    private var engine: EngineClient
    private var stream: Stream?
    var plant: Plant?
    /// A list has come whole since the planted bug showed.
    var isPlanted = false

    struct Stream {
        /// Nil: nobody takes the connection.
        var response: InProcessResponse?
        var received: ReceivedResponse
        var opened: Duration
        var patience: Duration
        var headIsDue = true
        var waiting: ArraySlice<UInt8> = []
        /// What follows the bytes that wait.
        var last: InProcessResponse.Piece?
        var bodyBytes: UInt64 = 0

        var isOver: Bool {
            switch last {
            case .end, .cut: true
            case .wait, .bytes, nil: false
            }
        }
    }

    init(
        _ server: InProcessServer, _ life: Story, seed: UInt64, until end: Duration, plant: Plant?,
        _ log: Log
    ) throws(KubeError) {
        self.server = server
        self.life = life
        self.end = end
        self.plant = plant
        self.log = log
        random = SeededRandom(seed: seed)
        engine = try .forDecoding(limits: DecodingLimits())
        path.renewsEngine = true
    }

    /// Whether something could come from the server now.
    var hasStream: Bool { stream != nil && elapsed >= path.stalledUntil }

    var cluster: Cluster { server.cluster }
    var faults: Faults { server.faults }
    /// Calls have no connection.
    func goAway() {}

    // What is made from an engine goes before it.
    deinit { stream = nil }

    // MARK: Time and chance

    var now: ContinuousClock.Instant { base.advanced(by: elapsed) }
    var isCancelled: Bool { isOver || path.restartsClient }
    /// The history is at its end.
    var isOver: Bool { elapsed >= end }
    func chance() -> Double { Double.random(in: 0...1, using: &random) }

    func sleep(_ delay: Duration) -> Bool {
        stream = nil
        let wanted = elapsed + delay
        while elapsed < wanted, !isCancelled { pass(until: wanted) }
        return isCancelled
    }

    /// Lets time pass up to the next thing that happens, `limit` at most.
    private func pass(until limit: Duration) {
        let next = min(life.next, limit, end)
        if next > elapsed {
            server.advance(by: next - elapsed)
            elapsed = next
        }
        while life.next <= elapsed, !isCancelled { life.happen(in: self) }
    }

    // MARK: Streams

    func open(
        _ request: StreamRequest, _ projection: UnsafePointer<plm_projection>
    ) throws(KubeError) -> Bool {
        stream = nil
        path.cutAfter = nil
        path.crumbs = 0
        path.isDead = false
        let isNew = path.renewsEngine
        if isNew { engine = try .forDecoding(limits: DecodingLimits()) }
        path.renewsEngine = false
        let isUp = elapsed >= path.downUntil
        stream = Stream(
            response: isUp ? server.get(request.target, accept: request.accept) : nil,
            received: try ReceivedResponse(engine, projection), opened: elapsed,
            patience: request.patience ?? .seconds(60))
        return isNew
    }

    func setWindow(_ window: Duration) {}
    func credentialWasRefused() -> Bool { false }

    func retireImages(_ ids: [UInt32]) {
        plm_client_retire_images(engine.handle, ids, ids.count)
    }

    func trace(_ trace: KubeTrace) {
        if case .request(_, let target) = trace { log.add(elapsed, "GET \(target)") }
    }

    func next<Result>(
        within timeout: Duration, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        let deadline = elapsed + timeout
        while true {
            if let batch = arrival() {
                let result = lend(batch, body)
                afterBatch()
                return result
            }
            if elapsed >= deadline || isCancelled {
                return body(UnsafeBufferPointer(start: nil, count: 0), empty)
            }
            // What comes while nobody knows when is looked for now and then.
            pass(until: min(deadline, max(elapsed + .milliseconds(50), path.stalledUntil)))
        }
    }

    private var empty: plm_batch {
        var batch = plm_batch()
        batch.body_bytes = stream?.bodyBytes ?? 0
        return batch
    }

    private func lend<Result>(
        _ batch: plm_batch, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        let events = UnsafeBufferPointer(start: batch.events, count: batch.count)
        guard let plant else { return body(events, batch) }
        return withBug(plant, Array(events)).withUnsafeBufferPointer { body($0, batch) }
    }

    /// Nil: nothing by now.
    private func arrival() -> plm_batch? {
        guard var stream else { return nil }
        defer { if self.stream != nil { self.stream = stream } }
        guard let response = stream.response else {
            return stream.received.fail(.connect, "connection refused")
        }
        guard elapsed >= path.stalledUntil, !path.isDead else { return nil }
        guard let head = response.head else {
            if case .cut = response.next() { return broken(stream) }
            guard elapsed - stream.opened >= stream.patience else { return nil }
            return stream.received.fail(.timeout, "no answer in time")
        }
        if stream.headIsDue {
            stream.headIsDue = false
            return stream.received.head(
                status: head.status, contentType: head.contentType,
                retryAfter: head.retryAfterSeconds)
        }
        while true {
            let chunk = take(&stream, response)
            if !chunk.isEmpty {
                let batch = chunk.withUnsafeBytes { stream.received.feed($0) }
                stream.bodyBytes = batch.body_bytes
                if batch.count > 0 { return batch }
                continue
            }
            if path.cutAfter == 0 { return broken(stream) }
            switch stream.last {
            case .end: return stream.received.end()
            case .cut: return broken(stream)
            case .wait, .bytes, nil: return nil
            }
        }
    }

    private func broken(_ stream: Stream) -> plm_batch {
        path.cutAfter = nil
        return stream.received.fail(.transport, "the connection was cut")
    }
}
