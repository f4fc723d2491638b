import Synchronization

/// How often something is done, at most: small requests of a client, retries of a queue.
public struct RequestRate: Sendable, Hashable {
    /// In the long run; more than 0.
    public var perSecond: Double
    /// At once, after a quiet time; at least 1.
    public var burst: Int

    /// Any rate. kubectl's is 50 and 300, client-go's default 5 and 10.
    public init(perSecond: Double, burst: Int) {
        self.perSecond = max(perSecond, 0.001)
        self.burst = max(burst, 1)
    }

    /// 50 a second, 100 at once.
    public static let standard = RequestRate(perSecond: 50, burst: 100)
}

/// A bucket of tokens: each use takes one; who finds none waits for the time at which one is
/// there, in the order of asking. Thread-safe.
package final class RateLimiter: Sendable {
    private let rate: RequestRate
    private let clock = ContinuousClock()
    /// When the bucket would be full again if nobody asked.
    private let fullAt: Locked<ContinuousClock.Instant>

    package init(_ rate: RequestRate) {
        self.rate = rate
        fullAt = Locked(clock.now)
    }

    /// Takes a token. Returns how long to wait before using it.
    package func reserve() -> Duration {
        let now = clock.now
        let interval = Duration.seconds(1 / rate.perSecond)
        let room = interval * rate.burst
        return fullAt.withLock { fullAt in
            fullAt = max(fullAt, now) + interval
            return max(.zero, fullAt - now - room)
        }
    }
}
