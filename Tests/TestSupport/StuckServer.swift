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
        func address(_ port: UInt16) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            return address
        }
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var local = address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &local) { local in
            local.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener, $0, size) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        self.listener = listener
        guard bound else { throw Program.TimedOut(description: "cannot listen: \(errno)") }
        port = Int(UInt16(bigEndian: local.sin_port))
        var fillers: [Int32] = []
        if point == .connecting {
            // A full accept queue: the kernel answers no further SYN.
            for _ in 0..<4 {
                let filler = socket(
                    AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
                var remote = address(UInt16(port))
                _ = withUnsafePointer(to: &remote) { remote in
                    remote.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(filler, $0, size)
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
