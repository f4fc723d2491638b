import Foundation

/// Sockets of this machine alone.
enum LoopbackSocket {
    static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    /// Listens on a port that is free.
    static func listen(backlog: Int32) throws -> (descriptor: Int32, port: UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var local = address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &local) { local in
            local.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener, $0, size) == 0 && Glibc.listen(listener, backlog) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard bound else {
            close(listener)
            throw Program.TimedOut(description: "cannot listen: \(errno)")
        }
        return (listener, UInt16(bigEndian: local.sin_port))
    }
}
