import Foundation
import TestSupport
import Testing

@Suite("plimsoll watch: several clusters", .timeLimit(.minutes(Patience.minutes)))
struct SeveralClustersTests {
    /// Two simulated clusters, and one environment that knows both as east and west.
    private func clusters() async throws -> (
        east: SimulatorProcess, west: SimulatorProcess, environment: [String: String]
    ) {
        let east = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        let west = try await SimulatorProcess(
            ["--nodes", "4", "--heartbeat-interval", "0"], beside: east)
        var files: [String] = []
        for (simulator, name) in [(east, "east"), (west, "west")] {
            let text = try String(contentsOfFile: simulator.kubeconfig, encoding: .utf8)
            files.append(simulator.kubeconfig + ".\(name)")
            try text.replacing("simulated", with: name).write(
                toFile: files[files.count - 1], atomically: true, encoding: .utf8)
        }
        return (east, west, ["KUBECONFIG": files.joined(separator: ":"), "HOME": "/nowhere"])
    }

    private static let both = ["watch", "--context", "east", "--context", "west"]

    @Test func `alerts of each by its name, with statistics for each`() async throws {
        let (east, west, environment) = try await clusters()
        defer {
            east.stop()
            west.stop()
        }
        let program = try Program(
            "plimsoll", Self.both + ["--stats", "--health", "127.0.0.1:0"], environment: environment
        )
        try await program.wait(for: "sync of both") {
            program.errors.contains("east · 3 nodes in ")
                && program.errors.contains("west · 4 nodes in ") ? true : nil
        }
        let health = try #require(
            program.errors.split(separator: "\n").first { $0.hasPrefix("health: ") })
        let ready = try await Program.run(
            "curl", ["-s", String(health.dropFirst("health: ".count)) + "?verbose"])
        #expect(ready.output.contains("[+]watch/east ok\n[+]watch/west ok\n"))
        let (first, second) = (try await east.nodes()[0].name, try await west.nodes()[0].name)
        try await east.command("pull", first, "a:1", "5MB")
        try await program.wait(for: "east") { program.output.contains("a:1") ? true : nil }
        try await west.command("pull", second, "b:1", "5MB")
        try await program.wait(for: "west") { program.output.contains("b:1") ? true : nil }
        try await west.command("cut")
        try await program.wait(for: "resumption") {
            program.errors.contains("west: resumed after ") ? true : nil
        }
        program.signal(SIGTERM)
        let result = try await program.result()
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].contains("  east  \(first)") && lines[1].contains("  west  \(second)"))
        let statistics = result.errors.split(separator: "\n").filter { $0.hasPrefix("{") }
        #expect(statistics.count == 2)
        #expect(
            statistics[0].contains(#""cluster":"east""#) && statistics[0].contains(#""nodes":3"#))
        #expect(
            statistics[1].contains(#""cluster":"west""#) && statistics[1].contains(#""nodes":4"#))
    }

    @Test func `waits for all of them, and names the one that never came`() async throws {
        let (east, west, environment) = try await clusters()
        defer { east.stop() }
        let whole = try await Program.run(
            "plimsoll", Self.both + ["--until-synced"], environment: environment)
        #expect(whole.status == 0)
        west.stop()
        _ = try await west.program.result()
        let half = try await Program.run(
            "plimsoll", Self.both + ["--for", "1s"], environment: environment)
        #expect(half.status == 1)
        #expect(half.errors.contains("Error: the list of nodes of west never came: "))
    }

    @Test func `takes each once, and only here`() async throws {
        let (east, west, environment) = try await clusters()
        defer {
            east.stop()
            west.stop()
        }
        let twice = try await Program.run(
            "plimsoll", ["watch", "--context", "east", "--context", "east"],
            environment: environment)
        #expect(twice.status != 0 && twice.errors.contains("names the same context twice"))
        let get = try await Program.run(
            "plimsoll", ["get", "--context", "east", "--context", "west"], environment: environment)
        #expect(get.status != 0 && get.errors.contains("only `watch` takes several"))
    }
}
