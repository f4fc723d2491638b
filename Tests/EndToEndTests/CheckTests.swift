import Foundation
import TestSupport
import Testing

@Suite("plimsoll check, why and images --waste", .timeLimit(.minutes(Patience.minutes)))
struct CheckTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ text: String) throws -> String {
        let path = folder.path + "/rules.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func run(
        _ simulator: SimulatorProcess, _ arguments: String...
    ) async throws -> Program.Result {
        try await Program.run(
            "plimsoll",
            [arguments[0], "--kubeconfig", simulator.kubeconfig] + arguments.dropFirst())
    }

    @Test func `check finds what is there, in three forms, and ends as bad as it is`() async throws
    {
        let simulator = try await SimulatorProcess(
            ["--nodes", "3", "--kubelets", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let nodes = try await simulator.nodes()
        try await simulator.command("disk-pressure", nodes[0].name, "on")
        try await simulator.command("pull", nodes[1].name, "<evil>&/app:latest", "1GB")
        let rules = try file(
            """
            rules:
              - {name: pressure, type: disk-pressure, severity: critical, for: 1h}
              - {name: latest, type: image-appeared, images: "*:latest", severity: info}
              - {name: full, type: high, above: 90%}
              - {name: changed, type: storage-changed}
              - {name: everywhere, type: image-spread, images: app, at_least: 2, severity: info}
            """)
        let text = try await run(simulator, "check", "--rules", rules, "--image-fs")
        #expect(text.status == 1)
        #expect(text.output.contains("FAIL  pressure  critical  \(nodes[0].name): DiskPressure"))
        #expect(text.output.contains("note  latest  info  \(nodes[1].name): <evil>&/app:latest"))
        #expect(
            text.output.contains(
                "ok    full  3 nodes\nskip  changed  looks at changes\nok    everywhere"))
        #expect(text.errors.contains("3 nodes, 5 rules, 2 findings"))

        let json = try await run(simulator, "check", "--rules", rules, "-o", "json")
        let alerts = try json.output.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(alerts.map { $0["rule"] as? String } == ["pressure", "latest"])

        let junit = try await run(simulator, "check", "--rules", rules, "-o", "junit")
        let parsed = try await Program.run(
            "python3",
            [
                "-c",
                "import sys,xml.etree.ElementTree as e; r=e.fromstring(sys.argv[1]); "
                    + "print(r.get('tests'), r.get('failures'), r.get('skipped'), "
                    + "r.find('.//system-out').text)", junit.output,
            ])
        #expect(
            parsed.output.hasPrefix("5 1 1 \(nodes[1].name): <evil>&/app:latest"),
            "\(parsed.errors)")

        try await simulator.command("disk-pressure", nodes[0].name, "off")
        #expect(try await run(simulator, "check", "--rules", rules).status == 0)
        #expect(
            try await run(simulator, "check", "--rules", rules, "--fail-on", "info").status == 1)
        #expect(try await run(simulator, "check", "--rules", "/nowhere").status == 2)
    }

    @Test func `why explains a node, with cut lists and what its kubelet says`() async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "2", "--profile", "eks,aks", "--kubelets", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let nodes = try await simulator.nodes().sorted { $0.imageCount < $1.imageCount }
        try await simulator.command("pull", nodes[0].name, "shop/cart:v1", "90MB")
        try await simulator.command("pull", nodes[0].name, "shop/cart:v2", "95MB")
        let rules = try file("rules: [{name: old, type: duplicate-versions, at_least: 2}]")
        let small = try await run(
            simulator, "why", nodes[0].name, "--image-fs", "--rules", rules)
        #expect(small.status == 0, "\(small.errors)")
        for words in [
            "compressed: what was downloaded", "image filesystem", "free (kubelet, ",
            "LARGEST IMAGES", "SEVERAL VERSIONS OF", "shop/cart:v2",
            "old    warning    \(nodes[0].name): 2 versions of shop/cart",
        ] {
            #expect(small.output.contains(words), "\(words) in \(small.output)")
        }
        let cut = try await run(simulator, "why", nodes[1].name)
        #expect(
            cut.output.contains("≥ ")
                && cut.output.contains("cut: there may be more, none larger than"))
        #expect(cut.output.contains("and 40 more"))
        let missing = try await run(simulator, "why", "nobody")
        #expect(missing.status == 1 && missing.errors.contains("node \"nobody\" not found"))
    }

    @Test func `images --waste counts old versions, and what one node alone has`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let nodes = try await simulator.nodes()
        for node in nodes.prefix(2) {
            try await simulator.command("pull", node.name, "shop/cart:v1", "90MB")
            try await simulator.command("pull", node.name, "shop/cart:v2", "95MB")
        }
        try await simulator.command("pull", nodes[2].name, "lonely:1", "7MB")
        let result = try await run(simulator, "images", "--waste", "-o", "json")
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let repositories = try #require(report["repositories"] as? [[String: Any]])
        let cart = try #require(repositories.first { $0["name"] as? String == "shop/cart" })
        #expect(cart["versions"] as? Int == 2 && cart["nodes"] as? Int == 2)
        #expect(cart["bytesBeyondOneEach"] as? Int == 180_000_000)
        let alone = try #require(report["onOneNodeOnly"] as? [[String: Any]])
        #expect(
            alone.contains {
                $0["name"] as? String == "lonely:1" && $0["node"] as? String == nodes[2].name
            })
        #expect(!alone.contains { ($0["name"] as? String ?? "").hasPrefix("shop/cart") })
        let table = try await run(simulator, "images", "--waste")
        #expect(
            table.output.contains("SEVERAL VERSIONS OF")
                && table.output.contains("ON ONE NODE ONLY"))
    }
}
