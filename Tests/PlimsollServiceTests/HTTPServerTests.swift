import PlimsollService
import Synchronization
import TestSupport
import Testing

@Suite("HTTP endpoints", .timeLimit(.minutes(Patience.minutes)))
struct HTTPServerTests {
    /// A server whose one check says what it is told.
    private final class Served: Sendable {
        let server: HTTPServer
        private let objection = Shared()

        init() async throws {
            let objection = objection
            let health = HealthRoutes(
                live: { HealthReport(checks: [.init(name: "life", objection: nil)]) },
                ready: {
                    HealthReport(checks: [
                        .init(name: "first", objection: nil),
                        .init(name: "second", objection: objection.text),
                    ])
                })
            server = try await HTTPServer(
                try #require(ListenAddress("127.0.0.1:0")),
                HTTPRoutes([health.answer], paths: HealthRoutes.paths))
        }

        func object(_ text: String?) { objection.text = text }

        func get(_ path: String, _ arguments: String...) async throws -> String {
            let result = try await Program.run(
                "curl",
                ["-s", "-w", "%{http_code}", "http://127.0.0.1:\(server.port)\(path)"] + arguments)
            return result.output
        }
    }

    private final class Shared: Sendable {
        private let value = Mutex<String?>(nil)
        var text: String? {
            get { value.withLock { $0 } }
            set { value.withLock { $0 = newValue } }
        }
    }

    @Test func `say ok, or what is not, as a kube-apiserver's do`() async throws {
        let served = try await Served()
        #expect(try await served.get("/livez") == "ok\n200")
        #expect(try await served.get("/readyz") == "ok\n200")
        #expect(
            try await served.get("/readyz?verbose")
                == "[+]first ok\n[+]second ok\nreadyz check passed\n200")
        served.object("too old")
        #expect(
            try await served.get("/readyz")
                == "[+]first ok\n[-]second failed: too old\nreadyz check failed\n503")
        #expect(try await served.get("/readyz/first") == "ok\n200")
        #expect(try await served.get("/readyz/second").hasSuffix("503"))
        #expect(try await served.get("/livez") == "ok\n200")
        await served.server.stop()
    }

    @Test func `refuse what they do not serve`() async throws {
        let served = try await Served()
        #expect(try await served.get("/metrics").hasSuffix("404"))
        #expect(try await served.get("/readyz/third").hasSuffix("404"))
        #expect(try await served.get("/").hasSuffix("404"))
        #expect(
            try await served.get("/livez", "-X", "POST", "-d", "x")
                == "only GET and HEAD are answered here\n405")
        #expect(try await served.get("/livez", "-I").hasSuffix("200"))
        // Nobody sends a head of a megabyte to a probe.
        let header = "X: " + String(repeating: "x", count: 100_000)
        #expect(try await !served.get("/livez", "-H", header).hasSuffix("200"))
        #expect(try await served.get("/livez").hasSuffix("200"))
        await served.server.stop()
    }

    @Test func `say that an address is taken`() async throws {
        let served = try await Served()
        let address = try #require(ListenAddress("127.0.0.1:\(served.server.port)"))
        let error = await #expect(throws: HTTPServer.CannotListen.self) {
            _ = try await HTTPServer(address, HTTPRoutes([], paths: []))
        }
        #expect(error?.description.hasPrefix("cannot listen on 127.0.0.1:") == true)
        await served.server.stop()
    }

    @Test(arguments: [
        ("8080", "127.0.0.1", 8080), (":8080", "0.0.0.0", 8080), ("[::1]:80", "::1", 80),
        ("pod:1", "pod", 1),
    ])
    func `listen where they are told`(text: String, host: String, port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port)
    }

    @Test(arguments: ["", "x", "1:2:3", ":", "host:", "host:70000", "-1"])
    func `know what is no address`(text: String) { #expect(ListenAddress(text) == nil) }
}
