import Foundation
import TestSupport
import Testing

@Suite("plimsoll watch --state", .timeLimit(.minutes(Patience.minutes)))
struct StateFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var state: String { folder.path + "/state" }
    private var database: String { state + "/alerts.sqlite" }

    private func watch(
        _ simulator: SimulatorProcess, _ arguments: String...
    ) async throws -> Program.Result {
        try await Program.run(
            "plimsoll",
            ["watch", "--kubeconfig", simulator.kubeconfig, "--state", state, "--for", "1500ms"]
                + arguments)
    }

    @Test func `survives kills: nothing is lost, and repeats have the same id`() async throws {
        // It has a simulator of its own.
        await Gate.simulators.enter()
        defer { Gate.simulators.leave() }
        let result = try await Program.run(
            "python3",
            [
                Checkout.root.appending(path: "Tests/Clients/crash_test.py").path,
                Checkout.products.path, "25", "3",
            ], deadline: .seconds(200))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test func `tells why what was told of a node last, while a watch goes on`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let program = try Program(
            "plimsoll", ["watch", "--kubeconfig", simulator.kubeconfig, "--state", state])
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        let names = try await simulator.nodes().map(\.name)
        func why(_ node: String) async throws -> Program.Result {
            try await Program.run(
                "plimsoll", ["why", "--kubeconfig", simulator.kubeconfig, "--state", state, node])
        }
        for tag in ["a:1", "a:2"] {
            try await simulator.command("pull", names[0], "example.org/\(tag)", "1GiB")
            try await program.wait(for: tag) { program.output.contains(tag) ? true : nil }
        }
        let told = try await why(names[0])
        let lines = told.output.split(separator: "\n")
        let start = try #require(lines.firstIndex(of: "told of it last:"), "\(told)")
        #expect(lines[start + 1].contains("a:2") && lines[start + 2].contains("a:1"))
        #expect(!lines[start + 1].contains(names[0]))
        #expect(try await why(names[1]).output.contains("told of it within 7 days: nothing"))
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
        #expect(try await why(names[0]).output.contains("a:2"))
        let nowhere = try await Program.run(
            "plimsoll",
            ["why", "--kubeconfig", simulator.kubeconfig, "--state", "/nowhere", names[0]])
        #expect(nowhere.status == 1 && nowhere.errors.contains("/nowhere/alerts.sqlite"))
    }

    @Test func `sets aside what is damaged, foreign or newer, and goes on`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        #expect(try await watch(simulator).status == 0)
        func python(_ script: String) async throws {
            let result = try await Program.run(
                "python3",
                ["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); " + script, database])
            #expect(result.status == 0, "\(result.errors)")
        }
        try await python("c.execute('PRAGMA user_version=99'); c.commit()")
        var result = try await watch(simulator)
        #expect(result.status == 0 && result.errors.contains("state of a newer version (99"))
        try await python("c.execute('PRAGMA application_id=7'); c.commit()")
        result = try await watch(simulator)
        #expect(result.status == 0 && result.errors.contains("state no state of plimsoll's"))
        try Data(repeating: 0x78, count: 8192).write(to: URL(filePath: database))
        result = try await watch(simulator)
        #expect(result.status == 0 && result.errors.contains("state damaged: "), "\(result.errors)")
        let aside = try FileManager.default.contentsOfDirectory(atPath: state).filter {
            $0.contains(".aside-")
        }
        #expect(aside.count == 3)
        result = try await watch(simulator)
        #expect(!result.errors.contains("kept as"))
    }

    @Test func `is one process's alone, and says where it cannot be kept`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let first = try Program(
            "plimsoll", ["watch", "--kubeconfig", simulator.kubeconfig, "--state", state])
        try await first.wait(for: "sync") { first.errors.contains(" node in ") ? true : nil }
        let second = try await watch(simulator)
        #expect(second.status == 1 && second.errors.contains("is used by another process"))
        first.signal(SIGTERM)
        #expect(try await first.result().status == 0)
        let nowhere = try await Program.run(
            "plimsoll",
            [
                "watch", "--kubeconfig", simulator.kubeconfig, "--state", "/proc/nowhere", "--for",
                "1s",
            ])
        #expect(nowhere.status == 1 && nowhere.errors.contains("/proc/nowhere"))
    }

    @Test func `a full disk keeps nobody from alerts, and is said`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        // Files may not grow beyond 128 KiB, in blocks of 512 bytes; the signal for that is ignored.
        let program = try Program(
            "sh",
            [
                "-c",
                "trap '' XFSZ; ulimit -f 256; exec \"$0\" watch --kubeconfig \"$1\" --state \"$2\"",
                Checkout.products.appending(path: "plimsoll").path, simulator.kubeconfig, state,
            ])
        try await program.wait(for: "sync") { program.errors.contains(" node in ") ? true : nil }
        let node = try await simulator.nodes()[0].name
        for number in 1...30 {
            try await simulator.command("pull", node, "app:\(number)", "1MB")
            try await program.wait(for: "alert \(number)") {
                program.output.contains("app:\(number) ") ? true : nil
            }
        }
        #expect(program.errors.contains("cannot write "))
        #expect(program.errors.contains("would be lost with this process"))
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }
}
