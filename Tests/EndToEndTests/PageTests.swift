import Foundation
import TestSupport
import Testing

@Suite("The page", .timeLimit(.minutes(Patience.minutes)))
struct PageTests {
    private let folder: TemporaryFolder
    private var file: String { folder.path + "/config.yaml" }

    init() throws { folder = try TemporaryFolder() }

    private func start(
        _ simulator: SimulatorProcess, _ settings: String
    ) async throws -> (program: Program, url: String) {
        try """
        service: {output: none, warm_up: 0s, listen: "127.0.0.1:0", \(settings)}
        """.write(toFile: file, atomically: true, encoding: .utf8)
        let program = try Program(
            "plimsoll", ["run", "--config", file, "--kubeconfig", simulator.kubeconfig])
        let url = try await program.wait(for: "address") {
            program.errors.firstMatch(of: /serving (http:[0-9.:\/]*[0-9])/)?.output.1
        }
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        return (program, String(url))
    }

    private func get(_ url: String, _ arguments: String...) async throws -> String {
        try await Program.run("curl", ["-s", "-m", "20"] + arguments + [url]).output
    }

    @Test(arguments: [12, 500])
    func `is what people can use, in a browser, and without its scripts`(nodes: Int) async throws {
        let simulator = try await SimulatorProcess([
            "--nodes", "\(nodes)", "--images", "50", "--heartbeat-interval", "0",
        ])
        defer { simulator.stop() }
        let (program, url) = try await start(
            simulator, "cluster_name: 'prod <eu> & \"west\"'")
        let result = try await Program.run(
            "python3",
            [
                Checkout.root.appending(path: "Tests/Clients/page_test.py").path, url,
                "\(nodes)", Checkout.products.appending(path: "plimsoll-sim").path,
                simulator.kubeconfig,
            ],
            environment: ["PYTHONPATH": Checkout.root.appending(path: ".build-tools/python").path],
            deadline: .seconds(240))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }

    @Test func `remembers what a node reported beyond its process, and lists all of many`()
        async throws
    {
        let simulator = try await SimulatorProcess(["--nodes", "250", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let names = try await simulator.nodes().map(\.name)
        var (program, url) = try await start(simulator, "state: '\(folder.path)/state'")
        #expect(try await get(url + "/node/" + names[0]).contains("No change since"))
        try await simulator.command("pull", names[0], "example.org/a:1", "900GiB")
        try await eventually("the plot") {
            try await get(url + "/node/" + names[0]).contains("<path class=\"line\"")
        }
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
        (program, url) = try await start(simulator, "state: '\(folder.path)/state'")
        #expect(try await get(url + "/node/" + names[0]).contains("<path class=\"line\""))

        // Parts of a list have every node once.
        var seen: [String] = []
        for part in 1...3 {
            let html = try await get(url + "/nodes?sort=name&page=\(part)")
            seen += html.matches(of: /<a href="\/node\/([^"]+)">/).map { String($0.output.1) }
        }
        #expect(seen == names.sorted())
        let found = try await get(url + "/nodes?q=" + names[7])
        #expect(found.contains(names[7]) && !found.contains("/node/\(names[0])\""))
        #expect(
            try await get(url + "/node/%00%ff", "-o", "/dev/null", "-w", "%{http_code}") == "404")
        #expect(try await get(url + "/node/n%3Cb%3E").contains("There is no node n&lt;b&gt; now."))
        // The page is no secret's, but where there is a token.
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
        try "s3cret\n".write(toFile: folder.path + "/token", atomically: true, encoding: .utf8)
        (program, url) = try await start(simulator, "token_file: '\(folder.path)/token'")
        #expect(try await get(url + "/", "-o", "/dev/null", "-w", "%{http_code}") == "401")
        #expect(try await get(url + "/", "-u", "me:s3cret").contains("<h1>Overview</h1>"))
        #expect(try await get(url + "/", "-u", "me:s3cre").contains("a token is needed"))
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)
    }
}
