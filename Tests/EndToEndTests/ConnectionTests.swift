import Foundation
import TestSupport
import Testing

@Suite("Connections", .timeLimit(.minutes(2)))
struct ConnectionTests {
    private func watch(
        _ simulator: SimulatorProcess, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Program.Result {
        try await Program.run(
            "plimsoll",
            ["watch", "--kubeconfig", simulator.kubeconfig, "--until-synced"] + arguments,
            environment: environment)
    }

    @Test(arguments: Proxy.Kind.allCases)
    func `go through a proxy`(kind: Proxy.Kind) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let proxy = try await Proxy(kind)
        let result = try await watch(simulator, ["--proxy-url", proxy.url])
        #expect(result.status == 0, "\(result.errors)")
        let server = try simulator.access().server
        #expect(proxy.targets == [String(server.dropFirst("https://".count))])
    }

    @Test func `to this machine leave the environment's proxy aside`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let proxy = try await Proxy(.http)
        let result = try await watch(simulator, [], environment: ["HTTPS_PROXY": proxy.url])
        #expect(result.status == 0)
        #expect(proxy.targets.isEmpty)
    }

    @Test func `check the certificate against the TLS server name`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let right = try await watch(simulator, ["--tls-server-name", "localhost"])
        #expect(right.status == 0, "\(right.errors)")
        let wrong = try await watch(simulator, ["--tls-server-name", "wrong.example"])
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("is not trusted: "))
        #expect(wrong.errors.contains("wrong.example"))
    }

    @Test func `act as another user`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let result = try await watch(simulator, ["--as", "guest", "--as-group", "guests"])
        #expect(result.status == 1)
        #expect(result.errors.contains(#"User "guest" cannot watch resource "nodes""#))
    }

    @Test func `need no kubeconfig with a server, a token and an authority`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let access = try simulator.access()
        let authority = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).pem")
        try Data(access.authority.utf8).write(to: authority)
        defer { try? FileManager.default.removeItem(at: authority) }
        let arguments = [
            "watch", "--until-synced", "--server", access.server, "--token",
            access.token,
        ]
        let environment = ["HOME": "/nowhere", "KUBECONFIG": ""]
        var result = try await Program.run(
            "plimsoll", arguments + ["--certificate-authority", authority.path],
            environment: environment)
        #expect(result.status == 0, "\(result.errors)")
        result = try await Program.run(
            "plimsoll", arguments + ["--insecure-skip-tls-verify"], environment: environment)
        #expect(result.status == 0, "\(result.errors)")
        result = try await Program.run("plimsoll", arguments, environment: environment)
        #expect(result.status == 1)
        #expect(!result.errors.contains(access.token))
    }
}
