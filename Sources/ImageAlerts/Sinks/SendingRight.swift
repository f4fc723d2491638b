/// Whether and for how long this process may tell sinks, where only one of several may.
public struct SendingRight: Sendable {
    private let until: @Sendable () -> ContinuousClock.Instant?

    /// - Parameter until: When the right ends, unless it is renewed; nil: it is another's now. Asked before
    ///   each request, and none takes longer than that.
    public init(until: @escaping @Sendable () -> ContinuousClock.Instant?) {
        self.until = until
    }

    /// For so long; zero or less: nothing may be begun.
    var timeLeft: Duration {
        until().map { $0 - .now } ?? .zero
    }
}
