import KubeClient
import WatchEngine

/// The surroundings of a program: a cluster's API server, and the machine's clock.
final class Network: Surroundings {
    private let client: KubeClient
    private let canceller: Canceller
    private let clock = ContinuousClock()
    private var stream: WatchStream?
    private var engine: Engine?

    /// An engine has its certificates for life: with others there is another.
    private final class Engine {
        let client: EngineClient
        let material: TLSMaterial

        init(_ client: consuming EngineClient, _ material: TLSMaterial) {
            self.client = client
            self.material = material
        }
    }

    init(_ client: KubeClient, _ canceller: Canceller) {
        self.client = client
        self.canceller = canceller
    }

    // What is made from an engine goes before it.
    deinit { stream = nil }

    var now: ContinuousClock.Instant { clock.now }
    var isCancelled: Bool { canceller.isCancelled }
    func sleep(_ delay: Duration) -> Bool { canceller.sleep(delay) }
    func chance() -> Double { .random(in: 0...1) }

    func open(
        _ request: StreamRequest, _ projection: UnsafePointer<plm_projection>
    ) throws(KubeError) -> Bool {
        stream = nil
        let canceller = canceller
        let access = try client.access { canceller.isCancelled }
        let isNew = engine?.material != access.material
        if isNew {
            engine = nil
            engine = Engine(try client.makeEngine(access.material), access.material)
        }
        var parts = EngineRequest(
            target: request.target, token: access.token, canceller: canceller)
        parts.accept = request.accept
        parts.window = request.window
        parts.ownConnection = request.isStream
        parts.keepsRaw = request.keepsRaw
        parts.responseTimeout = [client.requestTimeout, request.patience].compactMap(\.self).min()
        if let engine { stream = try WatchStream(engine.client, parts, projection) }
        return isNew
    }

    func next<Result>(
        within timeout: Duration, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result {
        guard let stream else {
            return body(UnsafeBufferPointer(start: nil, count: 0), plm_batch())
        }
        return stream.next(within: timeout, body)
    }

    func setWindow(_ window: Duration) { stream?.setWindow(window) }

    func retireImages(_ ids: [UInt32]) {
        if let engine { plm_client_retire_images(engine.client.handle, ids, ids.count) }
    }

    func credentialWasRefused() -> Bool { client.credentialWasRefused() }
    func trace(_ trace: KubeTrace) { client.trace?(trace) }
}
