import NIOCore

/// A body that does not come as it should.
final class SpoiledProducer: BodyProducer {
    /// What is wrong with it.
    enum Spoil: Sendable {
        /// It breaks off after so many bytes, in good order or by a reset.
        case cut(afterBytes: Int, isReset: Bool)
        /// After so many bytes nothing comes any more, and the connection stays.
        case stall(afterBytes: Int)
        /// Each piece, of a watch each event, comes twice.
        case duplicates
        /// It comes so slowly.
        case drip(bytesPerSecond: Int, any EventLoop)
    }

    /// A dripping body has a drop so often.
    private static let dropsPerSecond = 20

    private let whole: any BodyProducer
    private let spoil: Spoil
    // SAFETY: the rest is used on one event loop only.
    nonisolated(unsafe) private var given = 0
    nonisolated(unsafe) private var kept: [UInt8] = []
    nonisolated(unsafe) private var drops: RepeatedTask?
    nonisolated(unsafe) private var isDropDue = true

    var contentType: String { whole.contentType }

    init(_ whole: any BodyProducer, _ spoil: Spoil) {
        self.whole = whole
        self.spoil = spoil
    }

    func start(wake: @escaping @Sendable () -> Void) {
        whole.start(wake: wake)
        guard case .drip(_, let eventLoop) = spoil else { return }
        let interval = TimeAmount.milliseconds(Int64(1000 / Self.dropsPerSecond))
        drops = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) {
            [weak self] _ in
            self?.isDropDue = true
            wake()
        }
    }

    func stop() {
        drops?.cancel()
        whole.stop()
    }

    func next() -> BodyPiece {
        switch spoil {
        case .cut(let bytes, let isReset):
            return given < bytes ? part(bytes - given) : isReset ? .reset : .cut
        case .stall(let bytes): return given < bytes ? part(bytes - given) : .wait
        case .duplicates:
            if !kept.isEmpty {
                defer { kept = [] }
                return .bytes(kept)
            }
            let piece = whole.next()
            if case .bytes(let bytes) = piece { kept = bytes }
            return piece
        case .drip(let bytesPerSecond, _):
            guard isDropDue else { return .wait }
            isDropDue = false
            return part(max(1, bytesPerSecond / Self.dropsPerSecond))
        }
    }

    /// At most so many bytes of the next piece.
    private func part(_ most: Int) -> BodyPiece {
        if kept.isEmpty {
            switch whole.next() {
            case .bytes(let bytes): kept = bytes
            case .end:
                if case .cut = spoil { return .cut }
                return .end
            case let other: return other
            }
        }
        let bytes = Array(kept.prefix(most))
        kept.removeFirst(bytes.count)
        given += bytes.count
        return .bytes(bytes)
    }
}
