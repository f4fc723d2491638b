import Foundation
import TestSupport
import Testing

@Suite("plimsoll doctor")
struct DoctorTests {
    private func doctor(
        _ simulator: SimulatorProcess, _ arguments: String...
    ) async throws -> Program.Result {
        try await Program.run(
            "plimsoll", ["doctor", "--kubeconfig", simulator.kubeconfig] + arguments)
    }

    @Test func `finds nothing wrong with a cluster that is well`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "30", "--profile", "eks,aks"])
        let result = try await doctor(simulator)
        #expect(result.status == 0)
        #expect(result.errors == "")
        for part in [
            "ok    connection     v1.36.2", "may list and watch nodes", "30 nodes in ",
            "15 of 30 nodes list exactly as many images as their kubelet lists at most",
            "all nodes report compressed sizes", "(15), ",
        ] { #expect(result.output.contains(part), "\(part)\n\(result.output)") }
        #expect(!result.output.contains("fail"))
    }

    @Test func `says what a user may not do, and fails only for what watching needs`() async throws
    {
        let simulator = try await SimulatorProcess(["--nodes", "2"])
        var result = try await doctor(simulator, "--as", "reader")
        #expect(result.status == 0)
        #expect(result.output.contains("may not delete nodes, which only `delete` needs"))
        result = try await doctor(simulator, "--as", "nobody", "-o", "json")
        #expect(result.status == 1)
        let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let checks = (report as? [String: Any])?["checks"] as? [[String: String]] ?? []
        #expect((report as? [String: Any])?["healthy"] as? Bool == false)
        let failed = checks.filter { $0["verdict"] == "fail" }
        #expect(failed.map { $0["check"] } == ["permissions", "nodes"])
        #expect(failed[0]["detail"]?.hasPrefix("may not list nor watch nodes") == true)
    }

    @Test func `says why it cannot connect`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        var result = try await doctor(simulator, "--server", "https://127.0.0.1:1")
        #expect(result.status == 1)
        #expect(result.output.contains("fail  connection     cannot reach https://127.0.0.1:1: "))
        result = try await doctor(simulator, "--token", "wrong")
        #expect(result.status == 1)
        #expect(result.output.contains("is not, or no longer, accepted"))
        #expect(!result.output.contains("wrong"))
        result = try await doctor(simulator, "--context", "nope")
        #expect(result.status == 1)
        #expect(result.output.contains("fail  configuration  "))
    }

    @Test func `knows a server without streaming lists`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--no-streaming-lists"])
        let result = try await doctor(simulator)
        #expect(result.status == 0)
        #expect(result.output.contains("the server has no streaming lists"))
    }
}
