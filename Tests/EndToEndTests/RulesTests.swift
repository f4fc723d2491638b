import Foundation
import TestSupport
import Testing

@Suite("plimsoll rules", .timeLimit(.minutes(Patience.minutes)))
struct RulesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ text: String, _ name: String = "rules.yaml") throws -> String {
        let path = folder.path + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `validate, and nothing starts with what is not sound`() async throws {
        let example = try await Program.run("plimsoll", ["rules", "example"])
        let good = try await Program.run(
            "plimsoll", ["rules", "validate", try file(example.output)])
        #expect(good.status == 0 && good.output.hasSuffix("8 rules, all sound\n"))
        let deployed = try String(
            contentsOf: Checkout.root.appending(path: "deploy/install.yaml"), encoding: .utf8)
        let lines = deployed.split(separator: "\n").drop { $0 != "  config.yaml: |" }
            .dropFirst().prefix { $0.hasPrefix("    ") }
        let config = try file(lines.map { $0.dropFirst(4) + "\n" }.joined())
        let checked = try await Program.run("plimsoll", ["rules", "validate", config])
        #expect(checked.status == 0 && checked.output.contains("2 rules, all sound"), "\(checked)")

        let bad = try file("rules:\n  - name: a\n    type: delt\n")
        for arguments in [
            ["rules", "validate", bad], ["watch", "--rules", bad], ["replay", "--rules", bad, "x"],
        ] {
            let result = try await Program.run("plimsoll", arguments)
            #expect(result.status == 2)
            #expect(
                result.errors.contains("rules.yaml:3:11: rule \"a\": there is no type \"delt\""))
            #expect(result.errors.contains("nothing of it is used"))
        }
        let missing = try await Program.run("plimsoll", ["watch", "--rules", "/nowhere.yaml"])
        #expect(missing.status == 2 && missing.errors.contains("/nowhere.yaml"))
    }

    @Test(arguments: ["json", "protobuf"])
    func `select nodes by labels of any kind, before and after a restart`(format: String)
        async throws
    {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let rules = try file(
            """
            rules:
              - {name: mine, type: storage-changed, nodes: {labels: "team=ml,example.com/tier in (1,2),!spare"}}
            """)
        let names = try await simulator.nodes().map(\.name)
        func label(_ node: String, _ labels: String...) async throws {
            let result = try await Program.run(
                "kubectl", ["--kubeconfig", simulator.kubeconfig, "label", "node", node] + labels)
            #expect(result.status == 0, "\(result.errors)")
        }
        func watch() async throws -> Program {
            let program = try Program(
                "plimsoll",
                [
                    "watch", "--kubeconfig", simulator.kubeconfig, "--rules", rules, "--state",
                    folder.path + "/state", "--wire-format", format,
                ])
            try await program.wait(for: "sync") {
                program.errors.contains("reported image storage") ? true : nil
            }
            return program
        }
        try await label(names[0], "team=ml", "example.com/tier=2")
        try await label(names[1], "team=ml", "example.com/tier=2", "spare=")
        for round in 1...2 {
            let program = try await watch()
            for name in names {
                try await simulator.command("pull", name, "example.org/a:\(round)", "1GiB")
            }
            try await label(names[2], "team=ml", "example.com/tier=1")
            try await simulator.command("pull", names[2], "example.org/b:\(round)", "1GiB")
            try await program.wait(for: "the last") {
                program.output.contains("b:\(round)") ? true : nil
            }
            program.signal(SIGTERM)
            _ = try await program.result()
            let lines = program.output.split(separator: "\n")
            #expect(lines.count == 2 && lines[0].contains(names[0]), "\(program.output)")
            try await label(names[2], "team-", "example.com/tier-")
        }
    }

    @Test func `are what their schema says`() async throws {
        let schema = try file(
            try await Program.run("plimsoll", ["rules", "schema"]).output, "schema.json")
        let rules = try file(try await Program.run("plimsoll", ["rules", "example"]).output)
        let script = Checkout.root.appending(path: "Tests/Clients/rules_schema.py").path
        let docs = Checkout.root.appending(path: "docs/rules.md").path
        let bad = Checkout.root.appending(path: "Tests/BadRules").path
        let result = try await Program.run(
            "python3", [script, schema, rules, docs, bad],
            environment: ["PYTHONPATH": Checkout.root.appending(path: ".build-tools/python").path])
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test func `test says what differs, and what would have fired`() async throws {
        let history = """
            history: |
              0s   node n1
              10s  pull n1 nginx:latest 1GiB
            """
        let rules = try file(
            "rules:\n  - {name: latest, type: image-appeared, images: '*:latest'}\n")
        func test(_ text: String, _ arguments: String...) async throws -> Program.Result {
            try await Program.run(
                "plimsoll", ["rules", "test", try file(text, "test.yaml")] + arguments)
        }
        let line = "10s info latest n1: nginx:latest (1.0 GiB) appeared"
        let shown = try await test(history, "--rules", rules)
        #expect(shown.status == 0 && shown.output == line + "\n")
        let right = try await test(history + "\nexpect: |\n  \(line)\n", "--rules", rules)
        #expect(right.status == 0 && right.output.hasPrefix("ok "))
        let wrong = try await test(
            history + "\nexpect: |\n  10s info other n1: x\n", "--rules", rules)
        #expect(wrong.status == 1)
        #expect(wrong.output.contains("  - 10s info other n1: x\n  + \(line)\n"))
        let without = try await test(history)
        #expect(without.status == 1 && without.errors.contains("--rules FILE"))
        let unsound = try await test(
            "history: |\n  0s   node n1\n  1s  pull n2 a:1 1GiB\n", "--rules", rules)
        #expect(unsound.status == 2)
        #expect(unsound.errors.contains("test.yaml:3:1: there is no node \"n2\""))
    }

    @Test func `make the alerts of a watch, and of its recording`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "3", "--kubelets", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let rules = try file(
            """
            rules:
              - {name: latest, type: image-appeared, images: "*:latest", severity: critical}
              - {name: pressure, type: disk-pressure, for: 0s}
              - {name: full, type: high, above: 7%, for: 0s}
              - {name: spread, type: image-spread, images: app, at_least: 50%}
            """)
        let recording = folder.path + "/nodes.rec"
        let program = try Program(
            "plimsoll",
            [
                "watch", "--kubeconfig", simulator.kubeconfig, "--rules", rules, "--image-fs", "-o",
                "logfmt", "--record", recording,
            ])
        try await program.wait(for: "sync") { program.errors.contains(" nodes in ") ? true : nil }
        let nodes = try await simulator.nodes()
        func wait(_ words: String...) async throws {
            try await program.wait(for: "\(words)") {
                program.output.split(separator: "\n").contains { line in
                    words.allSatisfy { line.contains($0) }
                } ? true : nil
            }
        }
        try await simulator.command("pull", nodes[0].name, "app:latest", "3GiB")
        try await wait("rule=latest", "level=critical", "node=\(nodes[0].name)")
        try await wait("rule=full", "basis=imagefs", "unit=percent")
        try await simulator.command("pull", nodes[1].name, "app:2", "1MiB")
        try await wait("rule=spread", "status=firing", "value=2.0")
        try await simulator.command("disk-pressure", nodes[2].name, "on")
        try await wait("rule=pressure", "status=firing")
        try await simulator.command("disk-pressure", nodes[2].name, "off")
        try await wait("rule=pressure", "status=resolved")
        program.signal(SIGTERM)
        #expect(try await program.result().status == 0)

        let replayed = try await Program.run(
            "plimsoll", ["replay", recording, "--rules", rules, "-o", "logfmt"])
        // Kubelets are not in a recording.
        func lines(_ text: String) -> Set<String> {
            Set(
                text.split(separator: "\n").filter { !$0.contains("rule=full") }.map { line in
                    line.split(separator: " ").filter {
                        $0.hasPrefix("id=") || $0.hasPrefix("rule=") || $0.hasPrefix("status=")
                    }.joined(separator: " ")
                }.filter { !$0.contains("spread") })
        }
        #expect(lines(replayed.output) == lines(program.output))
    }
}
