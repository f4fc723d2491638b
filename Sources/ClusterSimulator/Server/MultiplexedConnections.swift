import NIOCore
import NIOHTTP2
import Synchronization

/// The HTTP/2 connections that are open.
final class MultiplexedConnections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// Takes a connection in, until it closes.
    @Sendable func add(_ channel: any Channel) -> EventLoopFuture<Void> {
        let id = ObjectIdentifier(channel)
        channels.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { [channels = self] _ in channels.remove(id) }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    private func remove(_ id: ObjectIdentifier) { channels.withLock { $0[id] = nil } }

    /// As an API server with `--goaway-chance` does: streams that are open end in their own time.
    func goAway() {
        for channel in channels.withLock({ Array($0.values) }) {
            let frame = HTTP2Frame(
                streamID: .rootStream,
                payload: .goAway(
                    lastStreamID: .maxID, errorCode: .noError, opaqueData: nil))
            channel.writeAndFlush(frame, promise: nil)
        }
    }
}
