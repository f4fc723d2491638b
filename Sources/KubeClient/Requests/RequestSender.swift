import Synchronization
import WatchEngine

/// One small request: all of its answer is collected.
struct KubeRequest: Sendable {
    var method = "GET"
    /// Path and query.
    var target: String
    var body: [UInt8] = []
    var contentType = "application/json"
    /// What is asked of which resource, for errors: "patch node x".
    var purpose: String
    /// What must be granted for it: "verb patch on nodes".
    var permission: String
}

/// Sends small requests, each on a thread of its own, over connections that are kept.
final class RequestSender: Sendable {
    /// A client of the engine between two requests.
    private final class Idle: @unchecked Sendable {
        // SAFETY: one thread at a time has it: it is taken out of the list before use.
        let engine: EngineClient
        let material: TLSMaterial

        init(_ engine: consuming EngineClient, _ material: TLSMaterial) {
            self.engine = engine
            self.material = material
        }
    }

    /// Connections beyond this many are closed after use.
    private static let maxIdle = 4
    /// Asked to come again later, so many times: as client-go.
    private static let maxAttempts = 10
    /// Servers may ask for more patience than anybody has.
    private static let maxRetryDelay = Duration.seconds(60)

    private let limiter: RateLimiter
    private let timeout: Duration?
    private let idle = Locked<[Idle]>([])

    /// - Parameter timeout: For one request with its answer; nil: none.
    init(rate: RequestRate, timeout: Duration?) {
        limiter = RateLimiter(rate)
        self.timeout = timeout
    }

    /// The body of the answer. Waits and asks again where the server asks for that.
    ///
    /// - Throws: Anything but `file`; `cancelled` when the task is.
    func send(_ request: KubeRequest, with client: KubeClient) async throws(KubeError) -> [UInt8] {
        let canceller = try Canceller()
        let limiter = limiter
        let result = await withTaskCancellationHandler {
            await DedicatedThread.run { () -> Result<[UInt8], KubeError> in
                Result { () throws(KubeError) in
                    if canceller.sleep(limiter.reserve()) { throw Self.cancelled(request) }
                    return try self.attempts(request, client, canceller)
                }
            }
        } onCancel: {
            canceller.cancel()
        }
        return try result.get()
    }

    private static func cancelled(_ request: KubeRequest) -> KubeError {
        KubeError(.cancelled, "cannot \(request.purpose): cancelled")
    }

    private func attempts(
        _ request: KubeRequest, _ client: KubeClient, _ canceller: Canceller
    ) throws(KubeError) -> [UInt8] {
        var hasReplacedCredential = false
        var attempt = 1
        while true {
            let answer = try exchange(request, client, canceller)
            if answer.status == 401, !hasReplacedCredential, client.credentialWasRefused() {
                hasReplacedCredential = true
                continue
            }
            let delay = answer.refusal?.retryAfter ?? answer.retryAfter
            let isBusy = answer.status == 429 || answer.status >= 500
            if isBusy, let delay, attempt < Self.maxAttempts {
                attempt += 1
                if canceller.sleep(min(delay, Self.maxRetryDelay)) {
                    throw Self.cancelled(request)
                }
                continue
            }
            if (200...299).contains(answer.status) { return answer.body }
            throw .refused(
                answer.status, answer.refusal, purpose: request.purpose,
                permission: request.permission)
        }
    }

    /// One request with its answer.
    private func exchange(
        _ request: KubeRequest, _ client: KubeClient, _ canceller: Canceller
    ) throws(KubeError) -> EngineAnswer {
        let access = try client.access { canceller.isCancelled }
        let connection = try take(access.material, client)
        client.trace?(.request(method: request.method, target: request.target))
        let start = ContinuousClock.now
        let answer = try Self.exchange(
            request, connection.engine, access.token, timeout, canceller)
        client.trace?(
            .answer(
                method: request.method, target: request.target, status: answer.status,
                bodyBytes: answer.body.count, after: ContinuousClock.now - start))
        idle.withLock { idle in
            if idle.count < Self.maxIdle { idle.append(connection) }
        }
        return answer
    }

    /// A connection with these certificates; those with others are closed.
    private func take(
        _ material: TLSMaterial, _ client: KubeClient
    ) throws(KubeError) -> Idle {
        let known = idle.withLock { idle in
            idle.removeAll { $0.material != material }
            return idle.popLast()
        }
        if let known { return known }
        return Idle(try client.makeEngine(material), material)
    }

    private static func exchange(
        _ request: KubeRequest, _ engine: borrowing EngineClient, _ token: String,
        _ timeout: Duration?, _ canceller: Canceller
    ) throws(KubeError) -> EngineAnswer {
        var parts = EngineRequest(target: request.target, token: token, canceller: canceller)
        parts.method = request.method
        parts.body = request.body
        parts.contentType = request.contentType
        parts.totalTimeout = timeout
        return try engine.exchange(parts)
    }
}
