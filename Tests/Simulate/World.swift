import ClusterSimulator
import Histories
import KubeClient
import NodeWatch
import WatchEngine

/// The surroundings of a simulated history: a server that is asked by calls, a path to it that breaks
/// in every way, and time that passes only while somebody waits.
final class World: Surroundings, Scene {
    let server: InProcessServer
    /// What is wrong with the path now.
    var path = Path()
    /// What happens by itself, time after time.
    var life: Life
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

    /// A bug on purpose, to see that it is found.
    enum Plant: String, CaseIterable {
        /// The first deletion that is told after a list is lost.
        case dropDeleted = "drop-deleted"
        /// The first object that is listed or added after a list is lost.
        case dropListed = "drop-listed"
    }

    struct Stream {
        var response: InProcessResponse
        var decoder: Decoder
        var opened: Duration
        var patience: Duration
        var headIsDue = true
        /// Its content is of a type that the engine takes.
        var isReadable: Bool
        var waiting: ArraySlice<UInt8> = []
        /// What follows the bytes that wait.
        var last: InProcessResponse.Piece?
        var bodyBytes = 0

        var isOver: Bool {
            switch last {
            case .end, .cut: true
            case .wait, .bytes, nil: false
            }
        }
    }

    /// An engine's decoder.
    final class Decoder {
        let handle: OpaquePointer

        init(_ engine: borrowing EngineClient, _ projection: UnsafePointer<plm_projection>) {
            guard let handle = plm_decoder_create(engine.handle, projection) else {
                fatalError("out of memory")
            }
            self.handle = handle
        }

        deinit { plm_decoder_destroy(handle) }
    }

    init(
        _ server: InProcessServer, _ life: Life, seed: UInt64, until end: Duration, plant: Plant?,
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

    // What is made from an engine goes before it.
    deinit { stream = nil }

    // MARK: Time and chance

    var now: ContinuousClock.Instant { base.advanced(by: elapsed) }
    var isCancelled: Bool { elapsed >= end }
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
        guard elapsed >= path.downUntil else { return isNew }
        let response = server.get(request.target, accept: request.accept)
        let type = response.head?.contentType ?? ""
        stream = Stream(
            response: response, decoder: Decoder(engine, projection), opened: elapsed,
            patience: request.patience ?? .seconds(60),
            isReadable: type.contains("json") || type.contains("protobuf"))
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
        batch.body_bytes = UInt64(stream?.bodyBytes ?? 0)
        return batch
    }

    /// What a batch is made of: the decoder's own events, or those of the transfer.
    private enum Arrival {
        case decoded(plm_batch)
        case events([plm_event])
    }

    private func lend<Result>(
        _ arrival: Arrival, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        var batch = empty
        switch arrival {
        case .decoded(let decoded):
            let events = UnsafeBufferPointer(start: decoded.events, count: decoded.count)
            guard let plant else { return body(events, batch) }
            let kept = withBug(plant, Array(events))
            return kept.withUnsafeBufferPointer { body($0, batch) }
        case .events(let events):
            batch.count = events.count
            return events.withUnsafeBufferPointer { body($0, batch) }
        }
    }

    /// Nil: nothing by now.
    private func arrival() -> Arrival? {
        guard var stream else {
            return .events([.failure(.connect, "connection refused")])
        }
        defer { if self.stream != nil { self.stream = stream } }
        guard elapsed >= path.stalledUntil, !path.isDead else { return nil }
        guard let head = stream.response.head else {
            if case .cut = stream.response.next() { return broken() }
            guard elapsed - stream.opened >= stream.patience else { return nil }
            return .events([.failure(.timeout, "no answer in time")])
        }
        guard (200..<300).contains(head.status) else { return .events(refusal(&stream)) }
        if stream.headIsDue {
            stream.headIsDue = false
            return .events([.head(head.status, head.contentType)])
        }
        guard stream.isReadable else {
            return .events([.failure(.contentType, "not a kube-apiserver's answer")])
        }
        while true {
            let chunk = take(&stream)
            if !chunk.isEmpty {
                let batch = feed(chunk, &stream)
                if batch.count > 0 { return .decoded(batch) }
                continue
            }
            if path.cutAfter == 0 { return broken() }
            switch stream.last {
            case .end: return .decoded(finish(&stream))
            case .cut: return broken()
            case .wait, .bytes, nil: return nil
            }
        }
    }

    private func broken() -> Arrival {
        path.cutAfter = nil
        return .events([.failure(.transport, "the connection was cut")])
    }
}
