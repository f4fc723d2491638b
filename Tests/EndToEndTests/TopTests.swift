import Foundation
import TestSupport
import Testing

/// A terminal with a program in it.
private struct Screen {
    private let socket = "plimsoll-\(UUID().uuidString.prefix(8))"

    init(_ command: String, columns: Int, rows: Int) async throws {
        // The server that it starts would keep what we gave it open: Python gives it nothing. And it ends by a
        // signal to itself, which the thread that we start it from may have blocked.
        let start =
            "import signal, subprocess, sys; n = subprocess.DEVNULL; "
            + "signal.pthread_sigmask(signal.SIG_SETMASK, []); "
            + "sys.exit(subprocess.run(['tmux', *sys.argv[1:]], stdin=n, stdout=n, stderr=n).returncode)"
        let result = try await Program.run(
            "python3",
            [
                "-c", start, "-L", socket, "-f", "/dev/null", "new-session", "-d", "-x",
                "\(columns)", "-y",
                "\(rows)", command,
            ], environment: ["LANG": "C.UTF-8", "TERM": "xterm-256color"])
        try #require(result.status == 0, "\(result.errors)")
    }

    private func tmux(_ arguments: String...) async throws -> String {
        try await Program.run("tmux", ["-L", socket] + arguments).output
    }

    var lines: [String] {
        get async throws {
            try await tmux("capture-pane", "-p").split(
                separator: "\n", omittingEmptySubsequences: false
            ).map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    func press(_ keys: String...) async throws {
        for key in keys { _ = try await tmux("send-keys", key) }
    }

    func type(_ text: String) async throws { _ = try await tmux("send-keys", "-l", text) }

    func resize(_ columns: Int, _ rows: Int) async throws {
        _ = try await tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    /// Waits until the lines are as they should be.
    func wait(_ what: String, _ isThere: ([String]) -> Bool) async throws {
        var last: [String] = []
        do {
            try await eventually(what) {
                last = try await lines
                return isThere(last)
            }
        } catch {
            Issue.record("\(what): \(last.joined(separator: "\n"))")
            throw error
        }
    }

    func close() async throws {
        _ = try await tmux("kill-server")
        try await eventually("the end of tmux") { try await tmux("ls").isEmpty }
    }
}

@Suite("plimsoll top", .timeLimit(.minutes(Patience.minutes)))
struct TopTests {
    @Test func `sorts, filters, opens and resizes on a terminal, and gives that back`() async throws
    {
        let simulator = try await SimulatorProcess([
            "--nodes", "40", "--images", "20", "--heartbeat-interval", "0",
        ])
        defer { simulator.stop() }
        let program = Checkout.products.appending(path: "plimsoll").path
        let screen = try await Screen(
            "echo before; \(program) top --kubeconfig \(simulator.kubeconfig); echo after $?; sleep 600",
            columns: 130, rows: 20)
        func firstRow(_ lines: [String]) -> String { lines.count > 3 ? lines[3] : "" }
        let nodes = try await simulator.nodes()
        try await screen.wait("the nodes") { lines in
            lines[0].contains("40 nodes") && lines[0].contains("watching")
                && lines[1].contains("40 of 40, by image storage")
        }
        // Something happens.
        let node = nodes[31].name
        try await simulator.command("pull", node, "example.org/huge:1", "800GiB")
        try await screen.wait("the fullest first") { lines in
            firstRow(lines).hasPrefix(node) && firstRow(lines).contains("+800 GiB")
        }
        // Sorted by name, that is by the fifth after it.
        try await screen.press("s", "s", "s", "s", "s")
        try await screen.wait("by name") { lines in
            lines[1].contains("by name") && firstRow(lines).hasPrefix(nodes.map(\.name).min()!)
        }
        try await screen.press("r")
        try await screen.wait("reversed") { firstRow($0).hasPrefix(nodes.map(\.name).max()!) }
        // A part of a name.
        try await screen.press("/")
        try await screen.type(String(node.prefix(12)))
        try await screen.press("Enter")
        let matching = nodes.filter { $0.name.contains(node.prefix(12)) }.count
        try await screen.wait("those that match") { $0[1].contains("\(matching) of 40") }
        try await screen.press("Escape")
        try await screen.wait("all again") { $0[1].contains("40 of 40") }
        // Into a node, an image of it, a node that has that, and back.
        try await screen.press("/")
        try await screen.type(node)
        try await screen.press("Enter", "Enter")
        try await screen.wait("the node's images") { lines in
            lines[1].contains("Images of \(node)")
                && firstRow(lines).hasPrefix("example.org/huge:1")
        }
        try await screen.press("Enter")
        try await screen.wait("the image's nodes") { lines in
            lines[1].contains("Nodes that list example.org/huge:1: 1 of 1")
                && firstRow(lines).hasPrefix(node)
        }
        try await screen.press("Escape", "Escape")
        try await screen.wait("the nodes again") { $0[1].hasPrefix("Nodes: 1 of 40") }
        try await screen.press("i")
        try await screen.wait("all images") { lines in
            lines[1].contains("Images: ") && lines[1].contains("by size times nodes")
        }
        try await screen.press("n")
        // Smaller and larger.
        try await screen.resize(60, 10)
        try await screen.wait("ten lines") { lines in
            lines.count <= 11 && lines[2].contains("STORAGE") && !lines[2].contains("POOL")
                && lines[9].contains("q: quit")
        }
        try await screen.resize(30, 10)
        try await screen.wait("too small") { $0[0].contains("too small") }
        try await screen.resize(150, 30)
        try await screen.wait("thirty lines") {
            $0[2].contains("STATE") && $0[29].contains("q: quit")
        }
        try await screen.press("G")
        try await screen.wait("the last") { lines in
            lines[28].hasPrefix("ip-10") && !firstRow(lines).hasPrefix(node)
        }
        // How fresh it is is always there.
        simulator.program.signal(SIGSTOP)
        try await screen.wait("silence") { $0[0].contains("heard 5") || $0[0].contains("heard 6") }
        simulator.program.signal(SIGCONT)
        try await screen.press("q")
        try await screen.wait("what was there before") { lines in
            lines.contains("before") && lines.contains("after 0")
                && !lines.contains { $0.contains("q: quit") }
        }
        try await screen.close()
    }

    @Test func `writes the table once where there is no terminal`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let names = try await simulator.nodes().map(\.name)
        try await simulator.command("pull", names[2], "example.org/huge:1", "800GiB")
        let result = try await Program.run(
            "plimsoll", ["top", "--kubeconfig", simulator.kubeconfig])
        let lines = result.output.split(separator: "\n")
        #expect(result.status == 0 && result.errors.isEmpty && lines.count == 4, "\(result)")
        #expect(lines[0].hasPrefix("NAME") && lines[1].hasPrefix(names[2]))
        #expect(!result.output.contains("\u{1b}"))
        let bad = try await Program.run("plimsoll", ["top", "--kubeconfig", "/nowhere"])
        #expect(bad.status == 1 && bad.errors.contains("/nowhere"))
    }
}
