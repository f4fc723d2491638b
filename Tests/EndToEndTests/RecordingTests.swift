import Foundation
import TestSupport
import Testing

@Suite("plimsoll record, replay", .timeLimit(.minutes(Patience.minutes)))
struct RecordingTests {
    /// Alerts without the time at which they were seen, which is that of another process.
    private func alerts(_ output: String) throws -> [String] {
        try output.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            var members = try #require(object as? [String: Any])
            members["observedAt"] = nil
            members["startsAt"] = nil
            let same = try JSONSerialization.data(withJSONObject: members, options: .sortedKeys)
            return String(decoding: same, as: UTF8.self)
        }
    }

    private func statistics(_ errors: String) throws -> [String: String] {
        let line = try #require(errors.split(separator: "\n").last { $0.hasPrefix("{") })
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let members = try #require(object as? [String: Any])
        // What another process costs, and how long the list took.
        let own = ["cpuSeconds", "maxRSSBytes", "syncSeconds"]
        return members.filter { !own.contains($0.key) }.mapValues { "\($0)" }
    }

    @Test func `replays what was watched through faults: the same alerts, the same counts`()
        async throws
    {
        let folder = try TemporaryFolder()
        let simulator = try await SimulatorProcess(["--nodes", "50", "--images", "20"])
        defer { simulator.stop() }
        let file = folder.path + "/nodes.rec"
        let program = try Program(
            "plimsoll",
            [
                "watch", "--kubeconfig", simulator.kubeconfig, "-o", "json", "--stats", "--record",
                file,
            ])
        func wait(_ word: String) async throws {
            try await program.wait(for: word) { program.errors.contains(word) ? true : nil }
        }
        try await wait(" nodes in ")
        let node = try await simulator.nodes()[0].name
        var expected = 0
        func pull() async throws {
            expected += 1
            let count = expected
            try await simulator.command("pull", node, "example.org/app:\(count)", "10MB")
            try await program.wait(for: "alert \(count)") {
                program.output.count { $0 == "\n" } >= count ? true : nil
            }
        }
        try await pull()
        try await simulator.command("cut")
        try await wait("resumed")
        try await pull()
        try await simulator.command("fault", "any", "html")
        try await simulator.command("compact")
        try await wait("text/html")
        try await wait("listed again")
        try await pull()
        program.signal(SIGTERM)
        let watched = try await program.result()
        #expect(watched.status == 0, "\(watched.errors)")
        #expect(watched.errors.contains("recorded "))

        for mode in [[], ["--strict"], ["--pace", "1000"]] {
            let replayed = try await Program.run(
                "plimsoll", ["replay", file, "-o", "json", "--stats"] + mode)
            #expect(replayed.status == 0, "\(replayed.errors)")
            #expect(try alerts(replayed.output) == alerts(watched.output))
            #expect(try statistics(replayed.errors) == statistics(watched.errors))
            for word in ["connection lost", "text/html", "listed again"] {
                #expect(replayed.errors.contains(word), "\(replayed.errors)")
            }
            #expect(!replayed.errors.contains("would have asked"), "\(replayed.errors)")
        }

        // A part of it is as good as it goes.
        let bytes = try Data(contentsOf: URL(filePath: file))
        let part = folder.path + "/part.rec"
        try bytes.prefix(bytes.count - 20).write(to: URL(filePath: part))
        let cut = try await Program.run("plimsoll", ["replay", part, "-o", "json"])
        #expect(cut.status == 0 && cut.errors.contains("cut off"), "\(cut.errors)")
    }

    @Test func `records to standard output until synced, in the format that is asked for`()
        async throws
    {
        let folder = try TemporaryFolder()
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let arguments = [
            "record", "-", "--until-synced", "--wire-format", "json", "--kubeconfig",
            simulator.kubeconfig,
        ]
        let recorded = try await Program.run("plimsoll", arguments)
        #expect(recorded.status == 0, "\(recorded.errors)")
        let token = try simulator.access().token
        #expect(!recorded.output.contains(token) && !recorded.output.contains("Authorization"))
        let file = try folder.write("nodes.rec", recorded.output)
        let replayed = try await Program.run("plimsoll", ["replay", file, "--stats"])
        #expect(replayed.status == 0 && replayed.output.isEmpty, "\(replayed.errors)")
        let counts = try statistics(replayed.errors)
        #expect(counts["nodes"] == "3" && counts["wireFormat"] == "json", "\(counts)")
    }

    @Test(arguments: ["json", "protobuf"])
    func `records what happened without names`(format: String) async throws {
        let folder = try TemporaryFolder()
        let simulator = try await SimulatorProcess(["--nodes", "12", "--profile", "eks,aks,gke"])
        defer { simulator.stop() }
        let file = folder.path + "/nodes.rec"
        let program = try Program(
            "plimsoll",
            [
                "record", "--anonymise", file, "--wire-format", format, "--kubeconfig",
                simulator.kubeconfig,
            ])
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        let nodes = try await simulator.nodes().map(\.name)
        // Whose list is not full.
        let node = try #require(nodes.first { $0.hasPrefix("ip-") })
        try await simulator.command("pull", node, "secret.example/app:1.0", "10MB")
        try await Task.sleep(for: .milliseconds(500))
        try await simulator.command(
            "swap", node, "secret.example/app:1.0", "secret.example/app:1.1")
        try await simulator.command("cut")
        try await program.wait(for: "resumed") { program.errors.contains("resumed") ? true : nil }
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)

        let recorded = String(
            decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        for word in nodes + ["secret.example", "simulated"] {
            #expect(!recorded.contains(word), "\(word)")
        }
        let replayed = try await Program.run("plimsoll", ["replay", file, "-o", "json", "--stats"])
        #expect(replayed.status == 0 && replayed.errors.contains("resumed"), "\(replayed.errors)")
        #expect(try statistics(replayed.errors)["nodes"] == "12")
        let alerts = replayed.output.split(separator: "\n")
        #expect(alerts.count == 2, "\(replayed.output)")
        #expect(alerts.first?.contains(#""deltaBytes":10000000,"#) == true)
        #expect(alerts.last?.contains(#""classification":"replace""#) == true)
    }

    @Test func `says what is wrong with a recording, and where`() async throws {
        let folder = try TemporaryFolder()
        let header =
            #"{"began":"2026-01-02T03:04:05.678Z","cluster":"c","isAnonymised":false,"path":"/api/v1/nodes","#
            + #""plimsollRecording":1,"program":"plimsoll 0.1.0"}"# + "\n"
        let open = #"{"at":0,"open":"/api/v1/nodes","accept":"application/json"}"# + "\n"
        let cases = [
            ("", "not a recording"),
            ("{\"kind\":\"NodeList\"}\n", "not a recording"),
            (header.replacing("g\":1", with: "g\":9"), "a recording of version 9"),
            (header + "{}\n", "x.rec:2: not a piece"),
            (header + open + "{\"at\":1}\n", "x.rec:3: not a piece"),
            (header + open + "{\"at\":-1,\"end\":true}\n", "x.rec:3: \"at\" is out of bounds"),
            (header + open + "{\"at\":1,\"body\":99999999999}\n", "x.rec:3: \"body\" is"),
            (header + open + "{\"at\":1,\"body\":2}\nabc\n", "no line break after 2 bytes"),
            (header + open + "{\"at\":1,\"failure\":\"x\"}\n", "\"x\" is no failure"),
        ]
        for (text, problem) in cases {
            let file = try folder.write("x.rec", text)
            let result = try await Program.run("plimsoll", ["replay", file])
            #expect(result.status == 1 && result.errors.contains(problem), "\(result.errors)")
        }
        let missing = try await Program.run("plimsoll", ["replay", folder.path + "/no.rec"])
        #expect(missing.status == 1 && missing.errors.contains("cannot open"))
    }

    @Test func `ends when it cannot write`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3"])
        defer { simulator.stop() }
        for (file, problem) in [
            ("/dev/full", "cannot write /dev/full: No space left on device"),
            ("/proc/no/such", "cannot open /proc/no/such"),
        ] {
            let result = try await Program.run(
                "plimsoll", ["record", file, "--kubeconfig", simulator.kubeconfig])
            #expect(result.status == 1 && result.errors.contains(problem), "\(result.errors)")
        }
    }
}
