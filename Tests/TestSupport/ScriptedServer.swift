import Foundation

/// A server on this machine that answers every request on a connection of its own with the same bytes, and then
/// closes that. Without TLS.
package final class ScriptedServer: Sendable {
    package let port: Int
    private let listener: Int32

    package init(_ answer: String) throws {
        let (listener, port) = try LoopbackSocket.listen(backlog: 8)
        self.listener = listener
        self.port = Int(port)
        Thread.detachNewThread {
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                Self.serve(connection, Array(answer.utf8))
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    package var url: String { "http://127.0.0.1:\(port)" }

    private static func serve(_ connection: Int32, _ answer: [UInt8]) {
        defer { close(connection) }
        var request: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while !request.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
            let count = read(connection, &bytes, bytes.count)
            if count <= 0 { return }
            request += bytes[..<count]
        }
        var sent = 0
        while sent < answer.count {
            let count = answer[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }
}
