import Foundation
import StalledResolver
import Synchronization
import TestSupport
import Testing
import WatchEngine

/// One client and its streams, for tests: everything on the calling thread.
private final class Client {
    let handle: OpaquePointer
    /// Each request has its connection to itself.
    private let own: Bool

    init(
        _ server: String, authority: String = "", certificate: String = "", key: String = "",
        insecure: Bool = false, bodyLimit: Int = 0, own: Bool
    ) {
        self.own = own
        handle = withText(authority) { authority in
            withText(certificate) { certificate in
                withText(key) { key in
                    server.withCString { server in
                        withCStrings("plimsoll-test", "") { agent, noProxy in
                            var options = plm_client_options()
                            options.base_url = server
                            options.user_agent = agent
                            options.proxy_url = noProxy
                            options.ca_pem = authority
                            options.client_certificate_pem = certificate
                            options.client_key_pem = key
                            options.insecure_skip_verify = insecure
                            options.connect_timeout_ms = 5000
                            options.limits.max_body_bytes = bodyLimit
                            return plm_client_create(&options)!
                        }
                    }
                }
            }
        }
    }

    deinit { plm_client_destroy(handle) }

    func open(
        _ target: String, token: String = "", decoded: Bool = true, timeout: Int32 = 10_000,
        window: Int32 = 0, canceller: OpaquePointer? = nil
    ) -> OpaquePointer {
        target.withCString { target in
            withText(token) { token in
                var request = plm_request(
                    method: nil, target: target, accept: nil, content_type: nil, body: plm_text(),
                    bearer_token: token, header_lines: nil, header_line_count: 0,
                    response_timeout_ms: timeout, total_timeout_ms: 0, window_ms: window,
                    own_connection: own,
                    keeps_raw: false, canceller: canceller)
                var projection = plm_projection()
                return decoded
                    ? plm_stream_open(handle, &request, &projection)!
                    : plm_stream_open(handle, &request, nil)!
            }
        }
    }

    /// Reads a stream to its end, and destroys it.
    func trace(_ stream: OpaquePointer) -> [String] {
        defer { plm_stream_destroy(stream) }
        var lines = ImageNames()
        var batch = plm_batch()
        while plm_stream_next(stream, 10_000, &batch) {
            lines.append(batch)
            if batch.done { break }
        }
        return lines.trace
    }

    func trace(_ target: String, token: String = "") -> [String] {
        trace(open(target, token: token))
    }
}

private func withCStrings<Result>(
    _ one: String, _ other: String, _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Result
) -> Result {
    one.withCString { one in other.withCString { body(one, $0) } }
}

private func withText<Result>(_ text: String, _ body: (plm_text) -> Result) -> Result {
    var copy = text
    return copy.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
            body(plm_text(bytes: text.isEmpty ? nil : $0.baseAddress, length: $0.count))
        }
    }
}

@Suite("Transfer")
struct TransferTests {
    @Test(arguments: [false, true])
    func `reads lists, watches and refusals over TLS`(own: Bool) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3"])
        defer { simulator.stop() }
        let access = try simulator.access()
        let client = Client(access.server, authority: access.authority, own: own)

        var trace = client.trace("/api/v1/nodes", token: access.token)
        #expect(
            trace.map { $0.split(separator: " ")[0] } == [
                "head", "added", "added", "added", "list", "end",
            ])
        trace = client.trace(
            "/api/v1/nodes?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                + "&allowWatchBookmarks=true&timeoutSeconds=1", token: access.token)
        #expect(
            trace.map { $0.split(separator: " ")[0] } == [
                "head", "added", "added", "added", "bookmark", "bookmark", "end",
            ])
        #expect(
            client.trace("/api/v1/nodes", token: "wrong") == [
                "head 401", "status 401 Unauthorized: Unauthorized", "end",
            ])
        try await simulator.command("fault", "any", "status=429,7")
        #expect(
            client.trace("/api/v1/nodes", token: access.token) == [
                "head 429", "status 429 TooManyRequests: simulated 429 retry=7", "end",
            ])
    }

    @Test(arguments: [false, true])
    func `says what came instead of JSON, and where a body broke off`(own: Bool) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3"])
        defer { simulator.stop() }
        let access = try simulator.access()
        let client = Client(access.server, authority: access.authority, own: own)

        try await simulator.command("fault", "any", "html")
        var trace = client.trace("/api/v1/nodes", token: access.token)
        #expect(trace.last!.hasPrefix("failure contentType: not a kube-apiserver's answer"))
        try await simulator.command("fault", "any", "truncate=20000")
        trace = client.trace("/api/v1/nodes", token: access.token)
        #expect(trace.last!.hasPrefix("failure transport: "))
        #expect((1...2).contains(trace.filter { $0.hasPrefix("added") }.count))
        try await simulator.command("fault", "any", "close")
        trace = client.trace("/api/v1/nodes", token: access.token)
        #expect(trace.count == 1 && trace[0].hasPrefix("failure transport: "))
    }

    @Test(arguments: [false, true])
    func `tells an untrusted server from a missing one`(own: Bool) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let access = try simulator.access()
        #expect(
            Client(access.server, own: own).trace("/", token: access.token)[0].hasPrefix(
                "failure certificate: SSL certificate problem"))
        #expect(
            Client(access.server, authority: "junk", own: own).trace("/")[0].hasPrefix(
                "failure credentials: "))
        #expect(
            Client(access.server, insecure: true, own: own).trace("/api/v1/nodes")[0] == "head 401")
        #expect(
            Client("https://127.0.0.1:1", own: own).trace("/")[0].hasPrefix("failure connect: "))
        #expect(
            Client("https://no.such.invalid", own: own).trace("/")[0].hasPrefix("failure resolve: ")
        )
        #expect(Client("ftp://127.0.0.1", own: own).trace("/")[0].hasPrefix("failure request: "))
        #expect(
            Client(access.server, certificate: "junk", key: "junk", own: own).trace("/")[0]
                .hasPrefix(
                    "failure credentials: "))
    }

    @Test(arguments: [false, true])
    func `collects a small body up to its limit`(own: Bool) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let access = try simulator.access()
        let client = Client(access.server, authority: access.authority, own: own)
        let stream = client.open("/version", token: access.token, decoded: false)
        var batch = plm_batch()
        while plm_stream_next(stream, 10_000, &batch), !batch.done {}
        #expect(plm_stream_body(stream).string.contains("v1.36.2"))
        plm_stream_destroy(stream)

        let tight = Client(access.server, authority: access.authority, bodyLimit: 10, own: own)
        let trace = tight.trace(tight.open("/version", token: access.token, decoded: false))
        #expect(
            trace.last == "failure limit: a response of more than 10 bytes (max_body_bytes)")
    }

    @Test(arguments: [false, true])
    func `never puts a token into an error`(own: Bool) {
        let trace = Client("https://127.0.0.1:1", own: own).trace("/", token: "secret\r\nX: y")
        #expect(trace.count == 1 && trace[0].hasPrefix("failure request: "))
        #expect(!trace[0].contains("secret"))
    }

    @Test(arguments: [false, true])
    func `gives up when no answer comes in time`(own: Bool) async throws {
        let server = try StuckServer(at: .handshake)
        let client = Client("https://127.0.0.1:\(server.port)", own: own)
        let trace = client.trace(client.open("/", timeout: 200))
        #expect(trace == ["failure timeout: no answer in time"])
    }
}

@Suite("Transfer: a connection of its own")
struct OwnConnectionTests {
    private static let node =
        #"{"type":"ADDED","object":{"kind":"Node","metadata":{"name":"a","resourceVersion":"7"}}}"#
    private static let json = "Content-Type: application/json\r\n"
    private static let chunked = "HTTP/1.1 200 OK\r\n" + json + "Transfer-Encoding: chunked\r\n\r\n"

    private static func chunk(_ text: String, extension: String = "") -> String {
        String(text.utf8.count, radix: 16) + `extension` + "\r\n" + text + "\r\n"
    }

    private static let answers: [(String, String)] = [
        ("chunked", chunked + chunk(node) + chunk(node) + "0\r\n\r\n"),
        ("event over chunks", chunked + chunk("{") + chunk(String(node.dropFirst())) + "0\r\n\r\n"),
        (
            "extensions and trailers",
            chunked + chunk(node, extension: ";a=b") + "0;last\r\nChecksum: 1\r\n\r\n"
        ),
        (
            "sizes in capitals and with zeros",
            chunked + "00" + chunk(node).uppercased().prefix(4) + chunk(node).dropFirst(4)
                + "000\r\n\r\n"
        ),
        ("lines without CR", chunked.replacing("\r\n", with: "\n") + chunk(node) + "0\r\n\r\n"),
        (
            "names in capitals",
            chunked.replacing("Content-Type", with: "CONTENT-TYPE") + chunk(node) + "0\r\n\r\n"
        ),
        (
            "by its length",
            "HTTP/1.1 200 OK\r\n\(json)Content-Length: \(node.utf8.count)\r\n\r\n\(node)"
        ),
        (
            "more than its length",
            "HTTP/1.1 200 OK\r\n\(json)Content-Length: \(node.utf8.count)\r\n\r\n\(node)\(node)"
        ),
        ("until the connection ends", "HTTP/1.0 200 OK\r\n\(json)\r\n\(node)"),
        ("without a reason", "HTTP/1.1 200\r\n\(json)\r\n\(node)"),
        (
            "after an interim answer",
            "HTTP/1.1 103 Early\r\nRetry-After: 9\r\n\r\n" + chunked + chunk(node) + "0\r\n\r\n"
        ),
        ("no content", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("empty", "HTTP/1.1 200 OK\r\n\(json)Content-Length: 0\r\n\r\n"),
        ("refused", "HTTP/1.1 429 Too Many\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nwait"),
        ("moved", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
        ("another type", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"),
        ("cut in a chunk", chunked + chunk(node) + "20\r\n{\"type\""),
        ("cut before the last chunk", chunked + chunk(node)),
        ("cut in its length", "HTTP/1.1 200 OK\r\n\(json)Content-Length: 999\r\n\r\n\(node)"),
        ("nothing", ""),
        ("no size", chunked + "xyz\r\n\(node)\r\n0\r\n\r\n"),
        ("a size beyond all bounds", chunked + "fffffffffffffffffffff\r\n\(node)\r\n0\r\n\r\n"),
        ("a chunk longer than its size", chunked + "5\r\n\(node)\r\n0\r\n\r\n"),
    ]

    @Test(arguments: answers)
    func `says of an answer what libcurl does`(name: String, answer: String) throws {
        let server = try ScriptedServer(answer)
        // What a failure says of itself differs.
        func trace(own: Bool) -> [String] {
            Client(server.url, own: own).trace("/").map {
                $0.hasPrefix("failure transport: ") ? "failure transport" : $0
            }
        }
        let (expected, found) = (trace(own: false), trace(own: true))
        withExtendedLifetime(server) {
            #expect(!expected.isEmpty && found == expected, "\(expected) \(found)")
        }
    }

    @Test(arguments: [
        // libcurl takes that for a whole answer.
        "HTTP/1.1 200 OK\r\nContent-Ty",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n1", "HTTP/1.1 101 Switch\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 70_000) + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 60_000) + "\r\n",
    ])
    func `refuses what is no answer it could read`(answer: String) throws {
        let server = try ScriptedServer(answer)
        let trace = Client(server.url, own: true).trace("/")
        withExtendedLifetime(server) {
            #expect(trace.count == 1 && trace[0].hasPrefix("failure transport: "), "\(trace)")
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n", "X: y\r\n"), ("", "HTTP/1.1 103 Early\r\n\r\n"),
        (chunked + chunk(node) + "0\r\n", "X: y\r\n"),
    ])
    func `puts up with no head or trailer without an end`(start: String, again: String) throws {
        let server = try ScriptedServer(start + String(repeating: again, count: 60_000))
        let trace = Client(server.url, own: true).trace("/")
        withExtendedLifetime(server) {
            #expect(trace.last?.contains("without an end") == true, "\(trace)")
        }
    }
}

@Suite("Transfer: cancelling", .serialized, .timeLimit(.minutes(Patience.minutes)))
struct CancelTests {
    /// Opens a stream, waits until it is stuck, cancels from another thread and expects the end.
    private func expectCancelled(
        _ client: Client, _ target: String = "/", token: String = "", after events: Int = 0
    ) {
        let canceller = plm_canceller_create()!
        defer { plm_canceller_release(canceller) }
        let stream = client.open(target, token: token, timeout: 60_000, canceller: canceller)
        var batch = plm_batch()
        var seen = 0
        while seen < events, plm_stream_next(stream, 5000, &batch) { seen += batch.count }
        repeat {
            #expect(plm_stream_next(stream, 200, &batch) && !batch.done)
        } while batch.count > 0 && !batch.done
        // Stuck now.

        let address = Int(bitPattern: canceller)
        let other = Thread {
            Thread.sleep(forTimeInterval: 0.05)
            plm_canceller_cancel(OpaquePointer(bitPattern: address)!)
        }
        plm_canceller_retain(canceller)
        other.start()
        #expect(plm_stream_next(stream, 30_000, &batch))
        #expect(batch.done && batch.count == 1)
        if batch.count == 1 {
            #expect(batch.events![0].kind == .failure)
            #expect(batch.events![0].failure.kind == .cancelled)
        }
        #expect(!plm_stream_next(stream, 0, &batch))
        plm_stream_destroy(stream)
        while !other.isFinished { Thread.sleep(forTimeInterval: 0.005) }
        plm_canceller_release(canceller)

        // Sticky: another stream with it does not even begin.
        let again = client.open(target, canceller: canceller)
        #expect(plm_stream_next(again, 5000, &batch) && batch.done)
        plm_stream_destroy(again)
    }

    @Test(arguments: [false, true])
    func `while the name is resolved`(own: Bool) {
        stalled_resolver_stall(1)
        defer {
            stalled_resolver_stall(0)
            // The resolver's thread goes by itself.
            Thread.sleep(forTimeInterval: 0.1)
        }
        expectCancelled(Client("https://stalled.test", own: own))
    }

    @Test(arguments: [false, true])
    func `while connecting`(own: Bool) throws {
        let server = try StuckServer(at: .connecting)
        expectCancelled(Client("https://127.0.0.1:\(server.port)", own: own))
    }

    @Test(arguments: [false, true])
    func `during the TLS handshake`(own: Bool) throws {
        let server = try StuckServer(at: .handshake)
        expectCancelled(Client("https://127.0.0.1:\(server.port)", own: own))
    }

    @Test(arguments: [false, true])
    func `while waiting for the answer, and in the middle of a body`(own: Bool) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let access = try simulator.access()
        let client = Client(access.server, authority: access.authority, own: own)
        try await simulator.command("fault", "any", "hang")
        expectCancelled(client, "/api/v1/nodes", token: access.token)
        // A head and two nodes with their images come before it is quiet.
        let heads = client.trace("/api/v1/nodes", token: access.token)
        #expect(heads.last == "end")
        expectCancelled(client, "/api/v1/nodes?watch=1", token: access.token, after: 3)
    }
}
