import Foundation
import TestSupport
import Testing

@Suite("Scenarios", .timeLimit(.minutes(Patience.minutes)))
struct ScenarioTests {
    private func simulate(_ scenario: String) async throws -> Program.Result {
        let folder = try TemporaryFolder()
        let file = try folder.write("night.txt", scenario)
        return try await Program.run(
            "plimsoll-sim",
            ["--kubeconfig", folder.url.appending(path: "k").path, "--scenario", file])
    }

    @Test func `happen at their times, in their order, whatever goes wrong with one`() async throws
    {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "s",
            """
            # What a night is like.
            300ms cut   # all of them
            0s    pull nobody nginx:1 5MB
            100ms add-node
            100ms fault any status=503

            """)
        let simulator = try await SimulatorProcess([
            "--nodes", "2", "--heartbeat-interval", "0", "--scenario", file,
        ])
        defer { simulator.stop() }
        try await eventually("the last") { simulator.program.errors.contains("connections cut") }
        let told = simulator.program.errors.split(separator: "\n").dropFirst().map(String.init)
        #expect(told.count == 4)
        #expect(
            told[0].hasSuffix("s, line 3: no node named nobody; `plimsoll sim nodes` lists them"))
        #expect(told[1].hasPrefix("add-node: ip-"))
        #expect(told[2] == "fault any status=503: the next request goes wrong")
        #expect(try await simulator.nodes().count == 3)
    }

    @Test(arguments: [
        ("soon cut", "line 1: \"soon\" is no time; try 500ms, 10s or 1m30s"),
        ("\n1s", "line 2: a command is missing"), ("1s dance", "line 1: unknown command \"dance\""),
        ("1s cut off", "line 1: usage: cut"),
    ])
    func `say what is wrong with them, and in which line`(
        scenario: String, expected: String
    ) async throws {
        let result = try await simulate(scenario)
        #expect(result.status == 2)
        #expect(result.errors.contains("night.txt, \(expected)"), "\(result.errors)")
    }

    @Test func `at random are the same for the same seed`() async throws {
        var told: [[String]] = []
        for _ in 0..<2 {
            let simulator = try await SimulatorProcess([
                "--nodes", "2", "--seed", "7", "--faults-per-minute", "3000",
            ])
            defer { simulator.stop() }
            func lines() -> [String] {
                simulator.program.errors.split(separator: "\n").dropFirst().map(String.init)
            }
            try await eventually("twenty faults") { lines().count > 20 }
            told.append(Array(lines().prefix(20)))
        }
        #expect(told[0] == told[1])
        #expect(Set(told[0]).count > 5)
    }
}
