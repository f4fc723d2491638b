import ObjectEncoding

/// A response body that is made piece by piece, as fast as the client reads it.
///
/// Used on one event loop; only `wake` may be called from elsewhere.
protocol BodyProducer: AnyObject, Sendable {
    var contentType: String { get }
    /// The next piece.
    func next() -> BodyPiece
    /// The client is there; `wake` is to be called when `next()` has more after it said `wait`.
    func start(wake: @escaping @Sendable () -> Void)
    /// The client is gone, or the body is over.
    func stop()
}

enum BodyPiece {
    case bytes([UInt8])
    /// Nothing now.
    case wait
    /// The body is whole.
    case end
    /// The connection is to be cut in the middle of the body.
    case cut
    /// It is to be reset there.
    case reset
}
