/// A proxy in a process of its own, which prints the targets it was asked for.
package final class Proxy: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case http, https, socks5
    }

    package let url: String
    private let program: Program

    /// The targets so far: "host:port".
    package var targets: [String] {
        program.output.split(separator: "\n").dropFirst().map(String.init)
    }

    /// - Parameters:
    ///   - identity: Path of a certificate with its key, for https.
    ///   - limit: After so many bytes from the server a connection is cut; 0: never.
    package init(_ kind: Kind, identity: String = "", cuttingAfter limit: Int = 0) async throws {
        let program = try Program(
            "python3", ["-u", "-c", Self.script, kind.rawValue, identity, "\(limit)"],
            deadline: .seconds(300))
        self.program = program
        let port = try await program.wait(for: "port") {
            program.output.split(separator: "\n").first.map(String.init)
        }
        url = "\(kind.rawValue)://127.0.0.1:\(port)"
    }

    deinit { program.signal(15) }

    private static let script = """
        import select, socket, ssl, struct, sys, threading

        def exactly(client, count):
            data = b""
            while len(data) < count:
                part = client.recv(count - len(data))
                if not part:
                    raise EOFError
                data += part
            return data

        def http(client):
            head = b""
            while not head.endswith(b"\\r\\n\\r\\n"):
                head += exactly(client, 1)
            host, port = head.split()[1].decode().rsplit(":", 1)
            return host, int(port), b"HTTP/1.1 200 Connection established\\r\\n\\r\\n"

        https = http

        def socks5(client):
            exactly(client, exactly(client, 2)[1])
            client.sendall(b"\\x05\\x00")
            kind = exactly(client, 4)[3]
            if kind == 1:
                host = socket.inet_ntoa(exactly(client, 4))
            else:
                host = exactly(client, exactly(client, 1)[0]).decode()
            port = struct.unpack(">H", exactly(client, 2))[0]
            return host, port, b"\\x05\\x00\\x00\\x01" + bytes(6)

        def serve(client):
            if sys.argv[1] == "https":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(sys.argv[2])
                client = context.wrap_socket(client, server_side=True)
            host, port, answer = globals()[sys.argv[1]](client)
            print(f"{host}:{port}")
            server = socket.create_connection((host, port))
            client.sendall(answer)
            left = int(sys.argv[3]) or 1 << 62
            while left > 0:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    while isinstance(ready, ssl.SSLSocket) and ready.pending():
                        data += ready.recv(65536)
                    if not data:
                        return
                    if ready is server:
                        data = data[:left]
                        left -= len(data)
                    (server if ready is client else client).sendall(data)
            for end in (client, server):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()

        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1])
        while True:
            threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
        """
}
