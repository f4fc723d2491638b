import Foundation

/// A server on this machine that gets stuck at some point of a connection.
package final class StuckServer: Sendable {
    package enum Point: Sendable {
        /// The TCP handshake is never finished.
        case connecting
        /// It is, but nothing is ever said.
        case handshake
    }

    package let port: Int
    private let listener: Int32
    private let fillers: [Int32]

    package init(at point: Point) throws {
        let (listener, port) = try LoopbackSocket.listen(backlog: 0)
        self.listener = listener
        self.port = Int(port)
        var fillers: [Int32] = []
        if point == .connecting {
            // A full accept queue: the kernel answers no further SYN.
            for _ in 0..<4 {
                let filler = socket(
                    AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                var remote = LoopbackSocket.address(port)
                _ = withUnsafePointer(to: &remote) { remote in
                    remote.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(filler, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                fillers.append(filler)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        self.fillers = fillers
    }

    deinit { ([listener] + fillers).forEach { close($0) } }
}
