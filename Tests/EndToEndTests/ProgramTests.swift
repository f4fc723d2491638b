import TestSupport
import Testing

@Suite("plimsoll")
struct ProgramTests {
    @Test func `names its version and the libraries it runs with`() async throws {
        let result = try await Program.run("plimsoll", ["version"])
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("plimsoll 0."))
        #expect(result.output.contains("libcurl/"))
        #expect(result.output.contains("yajl/2."))
    }

    @Test(arguments: [
        ["decode"], ["nonsense"], ["decode", "x", "--chunk", "0"],
        ["sim", "--nodes", "-1"], ["sim", "--profile", "vms"],
    ])
    func `ends with 2 on wrong usage`(arguments: [String]) async throws {
        let result = try await Program.run("plimsoll", arguments)
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("Error: "))
    }
}
