import Foundation
import KubeClient
import TestSupport
import Testing

@Suite("Examples of the documentation", .timeLimit(.minutes(Patience.minutes)))
struct ExampleTests {
    @Test func `every command that the documentation shows can be executed`() async throws {
        // It has a simulator of its own.
        await Gate.simulators.enter()
        defer { Gate.simulators.leave() }
        let result = try await Program.run(
            "python3",
            [
                Checkout.root.appending(path: "Tests/Clients/docs_test.py").path,
                Checkout.products.path, Checkout.root.path,
            ], deadline: .seconds(250))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }

    @Test func `TwoHandlers tells of changes, and of pools again and again`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "6", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let program = try Program(
            "TwoHandlers", environment: ["KUBECONFIG": simulator.kubeconfig])
        try await program.wait(for: "sync") {
            program.output.contains("6 nodes at ") ? true : nil
        }
        let name = try await simulator.nodes()[0].name
        try await simulator.command("pull", name, "nginx:1", "1GB")
        try await program.wait(for: "storage") {
            program.output.contains("\(name) image storage ") ? true : nil
        }
        // Not before: what happens within one batch is told as one change.
        try await simulator.command("delete-node", name)
        try await program.wait(for: "deletion") {
            program.output.contains("\(name) left\n") ? true : nil
        }
        let before = program.output.split(separator: "\n").count { $0.hasPrefix("pool ") }
        try await program.wait(for: "a resync") {
            let now = program.output.split(separator: "\n").count { $0.hasPrefix("pool ") }
            return now > before ? true : nil
        }
        program.signal(SIGTERM)
        _ = try await program.result()
    }
}

@Suite("Ingress controller", .timeLimit(.minutes(Patience.minutes)))
struct IngressControllerTests {
    private static let services = ResourceType(
        plural: "services", kind: "Service", isNamespaced: true)
    private static let ingresses = ResourceType(
        group: "networking.k8s.io", plural: "ingresses", kind: "Ingress", isNamespaced: true)

    /// A cluster with a controller that can be started, stopped and started again.
    private final class Cluster: Sendable {
        let simulator: SimulatorProcess
        let client: KubeClient
        let folder: TemporaryFolder
        var file: String { folder.path + "/ingresses.conf" }

        init() async throws {
            simulator = try await SimulatorProcess(["--nodes", "1"])
            client = KubeClient(
                try .load(.file(simulator.kubeconfig)),
                requestRate: RequestRate(perSecond: 1000, burst: 1000))
            folder = try TemporaryFolder()
        }

        func controller() throws -> Program {
            try Program(
                "IngressController", [file, "192.0.2.1", "127.0.0.1:18080"],
                environment: ["KUBECONFIG": simulator.kubeconfig])
        }

        var configuration: String { folder.read("ingresses.conf") }

        func addService(_ name: String, _ address: String) async throws {
            var service = KubeObject(services, name: name)
            service.json["spec"] = [
                "clusterIP": .string(address), "ports": [["name": "http", "port": 80]],
            ]
            try await client.resources(services, in: "default").create(service)
        }

        func addIngress(_ name: String, host: String, path: String, service: String) async throws {
            var ingress = KubeObject(ingresses, name: name)
            ingress.json["spec", "rules"] = [
                [
                    "host": .string(host),
                    "http": [
                        "paths": [
                            [
                                "path": .string(path), "pathType": "Prefix",
                                "backend": [
                                    "service": [
                                        "name": .string(service), "port": ["name": "http"],
                                    ]
                                ],
                            ]
                        ]
                    ],
                ]
            ]
            try await client.resources(ingresses, in: "default").create(ingress)
        }

        func address(of name: String) async throws -> String? {
            let ingress = try await client.resources(ingresses, in: "default").get(name)
            return ingress.json["status", "loadBalancer", "ingress"]?.array?.first?["ip"]?.string
        }

        func wait(_ what: String, _ holds: () async throws -> Bool) async throws {
            let end = ContinuousClock.now + Patience.limit
            while try await !holds() {
                guard ContinuousClock.now < end else {
                    throw Program.TimedOut(description: "no \(what):\n\(configuration)")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        /// What nginx itself says of the file.
        func check() async throws -> Program.Result {
            let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
                "    \($0)_temp_path \(folder.path)/\($0);"
            }
            let main = try folder.write(
                "nginx.conf",
                """
                pid \(folder.path)/pid;
                events {}
                http {
                    access_log off;
                \(folders.joined(separator: "\n"))
                    include \(file);
                }
                """)
            return try await Program.run(
                "nginx", ["-t", "-e", "stderr", "-p", folder.path, "-c", main])
        }
    }

    @Test func `keeps nginx in step, and tells Ingresses where it is`() async throws {
        let cluster = try await Cluster()
        try await cluster.addService("web", "10.0.0.1")
        try await cluster.addIngress("a", host: "a.example", path: "/", service: "web")
        try await cluster.addIngress("b", host: "a.example", path: "/api", service: "missing")
        let program = try cluster.controller()
        try await cluster.wait("configuration") {
            cluster.configuration.contains("location /api {\n        return 503;")
                && cluster.configuration.contains("proxy_pass http://10.0.0.1:80;")
        }
        #expect(cluster.configuration.contains("server_name a.example;"))
        let verdict = try await cluster.check()
        #expect(verdict.status == 0, "\(verdict.errors)")
        try await cluster.wait("statuses") {
            let addresses = [
                try await cluster.address(of: "a"), try await cluster.address(of: "b"),
            ]
            return addresses == ["192.0.2.1", "192.0.2.1"]
        }
        try await cluster.addService("missing", "10.0.0.2")
        try await cluster.wait("the new service") {
            cluster.configuration.contains("proxy_pass http://10.0.0.2:80;")
        }
        try await cluster.client.resources(Self.ingresses, in: "default").delete("a")
        try await cluster.wait("the end of a") {
            !cluster.configuration.contains("10.0.0.1")
        }
        program.signal(SIGTERM)
        _ = try await program.result()
    }

    @Test func `finds after a restart what happened while it was away`() async throws {
        let cluster = try await Cluster()
        try await cluster.addService("web", "10.0.0.1")
        try await cluster.addIngress("a", host: "a.example", path: "/", service: "web")
        var program = try cluster.controller()
        try await cluster.wait("configuration") { cluster.configuration.contains("a.example") }
        program.signal(SIGKILL)
        _ = try await program.result()
        let before = cluster.configuration
        try await cluster.client.resources(Self.ingresses, in: "default").delete("a")
        try await cluster.addIngress("b", host: "b.example", path: "/", service: "web")
        #expect(cluster.configuration == before)
        program = try cluster.controller()
        try await cluster.wait("the new state") {
            cluster.configuration.contains("b.example")
                && !cluster.configuration.contains("a.example")
        }
        try await cluster.wait("the status") {
            try await cluster.address(of: "b") == "192.0.2.1"
        }
        program.signal(SIGTERM)
        _ = try await program.result()
    }

    @Test func `survives conflicts, a storm of changes, and Ingresses that would write its file`()
        async throws
    {
        let cluster = try await Cluster()
        try await cluster.addService("web", "10.0.0.1")
        for number in 0..<30 {
            try await cluster.addIngress(
                "i\(number)", host: "h\(number).example", path: "/", service: "web")
        }
        try await cluster.addIngress(
            "evil", host: "e.example;} server { listen 1", path: "/", service: "web")
        try await cluster.addIngress(
            "worse", host: "w.example", path: "/ { return 200; } location /x", service: "web")
        let program = try cluster.controller()
        // Others write the same Ingresses all the while.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for round in 0..<50 {
                        let name = "i\((writer + round * 4) % 30)"
                        try await cluster.client.resources(Self.ingresses, in: "default").update(
                            name
                        ) { object throws(KubeError) in
                            object.annotations["round"] = "\(writer).\(round)"
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        for number in 0..<30 {
            try await cluster.wait("status of \(number)") {
                try await cluster.address(of: "i\(number)") == "192.0.2.1"
            }
        }
        try await cluster.wait("all hosts") {
            (0..<30).allSatisfy { cluster.configuration.contains("server_name h\($0).example;") }
        }
        #expect(!cluster.configuration.contains("return 200"))
        #expect(!cluster.configuration.contains("listen 1;"))
        let verdict = try await cluster.check()
        #expect(verdict.status == 0, "\(verdict.errors)")
        program.signal(SIGTERM)
        _ = try await program.result()
    }
}
