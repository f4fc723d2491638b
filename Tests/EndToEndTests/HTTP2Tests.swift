import TestSupport
import Testing

@Suite("plimsoll --http2", .timeLimit(.minutes(Patience.minutes)))
struct HTTP2Tests {
    /// A watch through a proxy, which sees each connection.
    private func watch(
        _ simulator: SimulatorProcess, _ proxy: Proxy, _ more: String...
    ) async throws -> Program {
        let program = try Program(
            "plimsoll",
            ["watch", "--kubeconfig", simulator.kubeconfig, "--verbose", "--proxy-url", proxy.url]
                + more)
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        return program
    }

    private func streams(_ program: Program) -> Int {
        program.errors.matches(of: /: 200( over HTTP\/2)? after/).count
    }

    private func endWatches(_ simulator: SimulatorProcess, _ program: Program) async throws {
        let before = streams(program)
        // A watch that ends at once is not taken up at once.
        try await Task.sleep(for: .seconds(1.1))
        try await simulator.command("end")
        try await program.wait(for: "the next watch") { streams(program) > before ? true : nil }
    }

    @Test func `stays with a connection until the server asks for another`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "20", "--images", "50"])
        defer { simulator.stop() }
        let proxy = try await Proxy(.http)
        let program = try await watch(simulator, proxy, "--http2")
        #expect(program.errors.contains(": 200 over HTTP/2 after"))
        try await endWatches(simulator, program)
        #expect(proxy.targets.count == 1)

        try await simulator.command("go-away")
        // What is under way goes on.
        let node = try await simulator.nodes()[0].name
        try await simulator.command("pull", node, "example.org/app:1", "10GB")
        try await program.wait(for: "alert") { program.output.contains("app:1") ? true : nil }
        #expect(proxy.targets.count == 1)
        try await endWatches(simulator, program)
        #expect(proxy.targets.count == 2)
        #expect(!program.errors.contains("lost"), "\(program.errors)")
    }

    @Test func `leaves a connection on which an answer never came`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "20"])
        defer { simulator.stop() }
        let proxy = try await Proxy(.http)
        let program = try await watch(simulator, proxy, "--http2", "--request-timeout", "1s")
        try await simulator.command("fault", "any", "hang")
        try await simulator.command("end")
        try await program.wait(for: "timeout") {
            program.errors.contains("no answer in time") ? true : nil
        }
        try await program.wait(for: "another connection") {
            program.errors.contains("resumed") ? true : nil
        }
        #expect(proxy.targets.count == 2)
    }

    @Test func `is not spoken unasked`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        defer { simulator.stop() }
        let program = try await watch(simulator, try await Proxy(.http))
        #expect(!program.errors.contains("HTTP/2"))
    }
}
