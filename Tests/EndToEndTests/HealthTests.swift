import Foundation
import TestSupport
import Testing

@Suite("plimsoll watch --health", .timeLimit(.minutes(Patience.minutes)))
struct HealthTests {
    private func get(_ url: String) async throws -> String {
        try await Program.run("curl", ["-s", "-m", "5", "-w", "%{http_code}", url]).output
    }

    private func wait(_ url: String, for code: String) async throws -> String {
        let end = ContinuousClock.now + Patience.limit
        while true {
            let answer = try await get(url)
            if answer.hasSuffix(code) { return answer }
            if ContinuousClock.now > end {
                throw Program.TimedOut(description: "no \(code) from \(url), but \(answer)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func `is ready with the first list, not while the server is silent, and again after`()
        async throws
    {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--bookmark-interval", "1"])
        defer { simulator.stop() }
        let program = try Program(
            "plimsoll",
            [
                "watch", "--kubeconfig", simulator.kubeconfig, "--health", "127.0.0.1:0",
                "--stale-after", "3s",
            ])
        let ready = try await program.wait(for: "address") {
            program.errors.split(separator: "\n").first { $0.hasPrefix("health: ") }
        }.dropFirst("health: ".count)
        #expect(try await wait(String(ready), for: "200") == "ok\n200")
        let live = String(ready.replacing("readyz", with: "livez"))
        #expect(try await get(live) == "ok\n200")
        simulator.program.signal(SIGSTOP)
        let refusal = try await wait(String(ready), for: "503")
        #expect(refusal.contains("[-]watch failed: nothing from the server for "), "\(refusal)")
        #expect(refusal.contains("over the limit of 3 s"))
        #expect(try await get(live) == "ok\n200")
        simulator.program.signal(SIGCONT)
        _ = try await wait(String(ready), for: "200")
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }

    @Test func `is not ready before the first list, and says why`() async throws {
        let program = try Program(
            "plimsoll",
            [
                "watch", "--server", "https://127.0.0.1:1", "--token", "x", "--health",
                "127.0.0.1:0",
            ], environment: ["HOME": "/nowhere", "KUBECONFIG": ""])
        let ready = try await program.wait(for: "address") {
            program.errors.split(separator: "\n").first { $0.hasPrefix("health: ") }
        }.dropFirst("health: ".count)
        var answer = try await wait(String(ready), for: "503")
        for _ in 0..<100 where !answer.contains("port 1 after") {
            answer = try await get(String(ready))
        }
        #expect(answer.contains("no whole list yet"), "\(answer)")
        #expect(answer.contains("Failed to connect to 127.0.0.1 port 1"), "\(answer)")
        program.signal(SIGINT)
        _ = try await program.result()
    }

    @Test func `says that its address cannot be used`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let port = try simulator.access().server.split(separator: ":").last ?? ""
        let result = try await Program.run(
            "plimsoll",
            ["watch", "--kubeconfig", simulator.kubeconfig, "--health", "127.0.0.1:\(port)"])
        #expect(result.status == 1)
        #expect(result.errors.contains("cannot listen on 127.0.0.1:\(port)"), "\(result.errors)")
        let wrong = try await Program.run("plimsoll", ["watch", "--health", "nowhere"])
        #expect(wrong.status == 2)
    }
}
