import Foundation
import KubeClient
import TestSupport
import Testing

@Suite("Requests")
struct RequestTests {
    private struct Cluster {
        let simulator: SimulatorProcess
        let client: KubeClient
        /// The second node's name.
        let node: String

        init(
            nodes: Int = 3, as user: String? = nil, rate: RequestRate = .standard
        ) async throws {
            simulator = try await SimulatorProcess([
                "--nodes", "\(nodes)", "--heartbeat-interval", "0",
            ])
            node = try await simulator.nodes()[1].name
            client = try Self.client(simulator, as: user, rate)
        }

        static func client(
            _ simulator: SimulatorProcess, as user: String? = nil, _ rate: RequestRate = .standard
        ) throws -> KubeClient {
            var overrides = KubeConfigurationOverrides()
            overrides.impersonatedUser = user
            return KubeClient(
                try .load(.file(simulator.kubeconfig), overrides: overrides), requestRate: rate)
        }
    }

    private func refusal(_ body: () async throws -> Void) async -> KubeError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? KubeError
        }
    }

    // MARK: Reading

    @Test func `lists by selector, by page, and all pages as one`() async throws {
        let cluster = try await Cluster(nodes: 7)
        let names = try await cluster.simulator.nodes().map(\.name)
        var options = ResourceClient.ListOptions()
        options.fieldSelector = "metadata.name=\(cluster.node)"
        #expect(try await cluster.client.nodes.list(options).items.map(\.name) == [cluster.node])
        options = .init()
        options.labelSelector = "kubernetes.io/os in (linux), !nope"
        options.limit = 3
        var page = try await cluster.client.nodes.list(options)
        #expect(page.items.map(\.name) == Array(names[..<3]))
        #expect(page.remainingItemCount == 4)
        options.continueToken = page.continueToken
        options.limit = 10
        page = try await cluster.client.nodes.list(options)
        #expect(page.items.map(\.name) == Array(names[3...]))
        #expect(page.continueToken == nil)
        let all = try await cluster.client.nodes.listAll(pageSize: 2)
        #expect(all.items.map(\.name) == names)
        #expect(all.items.allSatisfy { $0.json["kind"] == "Node" && !$0.uid.isEmpty })
    }

    @Test func `says that there is no such object`() async throws {
        let cluster = try await Cluster()
        let error = await refusal { _ = try await cluster.client.nodes.get("nope") }
        #expect(error?.isNotFound == true)
        #expect(
            error?.message
                == "cannot get node nope: the server says 404: nodes \"nope\" not found")
        #expect(error?.status?.reason == "NotFound")
    }

    @Test func `says what was forbidden, and what must be granted`() async throws {
        let cluster = try await Cluster(as: "reader")
        _ = try await cluster.client.nodes.get(cluster.node)
        let error = await refusal {
            _ = try await cluster.client.nodes.patch(cluster.node, merge: [:])
        }
        #expect(error?.httpStatus == 403)
        #expect(
            error?.message.hasSuffix(
                "User \"reader\" cannot patch resource \"nodes\" in API group \"\" at the cluster "
                    + "scope. It needs the verb patch on nodes") == true)
        let leases = cluster.client.resources(.leases, in: "default")
        let other = await refusal { _ = try await leases.get("x") }
        #expect(
            other?.message.hasSuffix("It needs the verb get on leases.coordination.k8s.io") == true)
    }

    @Test func `asks what it may do`() async throws {
        let cluster = try await Cluster(as: "reader")
        #expect(try await cluster.client.access(to: "watch", .nodes).isAllowed)
        #expect(try await !cluster.client.access(to: "delete", .nodes).isAllowed)
    }

    // MARK: Writing

    @Test func `loses no writer's change when eight write the same node in lockstep`() async throws
    {
        let cluster = try await Cluster()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 1...8 {
                let client = try Cluster.client(cluster.simulator)
                let node = cluster.node
                group.addTask {
                    for round in 1...3 {
                        try await client.nodes.update(node) { object throws(KubeError) in
                            object.annotations["writer-\(writer)-\(round)"] = "here"
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let annotations = try await cluster.client.nodes.get(cluster.node).annotations
        #expect(annotations.filter { $0.key.hasPrefix("writer-") }.count == 24)
    }

    @Test func `keeps fields it does not know and every digit of their numbers`() async throws {
        let cluster = try await Cluster()
        let strange: JSONValue = [
            "big": 9_007_199_254_740_993, "bigger": .unsigned(.max), "small": .integer(.min),
            "fraction": .decimal(Decimal(string: "0.12345678901234567890")!),
            "list": [1, "two", nil, true, [:], []], "text": "\u{2028}\"\\\u{1}é😀",
        ]
        try await cluster.client.nodes.patch(
            cluster.node, merge: ["spec": ["unknownToUs": strange]])
        let before = try await cluster.client.nodes.get(cluster.node)
        #expect(before.json["spec", "unknownToUs"] == strange)
        try await cluster.client.nodes.update(cluster.node) { object throws(KubeError) in
            object.annotations["seen"] = "yes"
        }
        var after = try await cluster.client.nodes.get(cluster.node)
        #expect(after.annotations["seen"] == "yes")
        after.annotations["seen"] = nil
        for key in ["resourceVersion", "managedFields"] {
            after.json["metadata", key] = before.json["metadata", key]
        }
        #expect(after == before)
        let raw = try await Program.run(
            "kubectl",
            [
                "--kubeconfig", cluster.simulator.kubeconfig, "get", "--raw",
                "/api/v1/nodes/\(cluster.node)",
            ])
        for digits in ["9007199254740993", "18446744073709551615", "-9223372036854775808"] {
            #expect(raw.output.contains(digits))
        }
    }

    @Test func `patches, and null removes`() async throws {
        let cluster = try await Cluster()
        let nodes = cluster.client.nodes
        let patch: JSONValue = ["metadata": ["labels": ["team": "shop"]]]
        #expect(try await nodes.patch(cluster.node, merge: patch).labels["team"] == "shop")
        let removal: JSONValue = ["metadata": ["labels": ["team": nil]]]
        #expect(try await nodes.patch(cluster.node, merge: removal).labels["team"] == nil)
        let dry = try await nodes.patch(cluster.node, merge: patch, .init(isDryRun: true))
        #expect(dry.labels["team"] == "shop")
        #expect(try await nodes.get(cluster.node).labels["team"] == nil)
    }

    @Test func `applies, and is refused what another manager owns, unless forced`() async throws {
        let cluster = try await Cluster()
        let nodes = cluster.client.nodes
        var wish = KubeObject(.nodes, name: cluster.node)
        wish.annotations = ["load": "high"]
        let applied = try await nodes.apply(wish)
        #expect(applied.annotations["load"] == "high")
        wish.annotations = ["load": "low"]
        let other = ResourceClient.WriteOptions(fieldManager: "other")
        let error = await refusal { try await nodes.apply(wish, other) }
        #expect(error?.isConflict == true)
        #expect(error?.message.contains("conflict with \"plimsoll\"") == true)
        let forced = try await nodes.apply(wish, other, isForced: true)
        #expect(forced.annotations["load"] == "low")
        wish.json["metadata", "annotations"] = nil
        let emptied = try await nodes.apply(wish, other)
        #expect(emptied.annotations["load"] == nil)
        #expect(emptied.annotations.count == applied.annotations.count - 1)
    }

    @Test func `deletes, but nothing in a dry run, and not another node of that name`() async throws
    {
        let cluster = try await Cluster()
        let nodes = cluster.client.nodes
        var options = ResourceClient.DeleteOptions()
        options.gracePeriodSeconds = 10
        options.isDryRun = true
        try await nodes.delete(cluster.node, options)
        let node = try await nodes.get(cluster.node)
        options.isDryRun = false
        options.uid = "another"
        let error = await refusal { try await nodes.delete(cluster.node, options) }
        #expect(error?.isConflict == true)
        options.uid = node.uid
        options.resourceVersion = node.resourceVersion
        try await nodes.delete(cluster.node, options)
        #expect(await refusal { _ = try await nodes.get(cluster.node) }?.isNotFound == true)
    }

    @Test func `keeps a lease, and loses it to whoever was faster`() async throws {
        let cluster = try await Cluster()
        let leases = cluster.client.resources(.leases, in: "default")
        let now = Date(timeIntervalSince1970: 1_764_000_000.123456)
        var lease = Lease(name: "plimsoll")
        lease.holder = "one"
        lease.duration = .seconds(15)
        lease.acquired = now
        lease.renewed = now
        lease = Lease(try await leases.create(lease.object))
        #expect(
            await refusal { try await leases.create(lease.object) }?.status?.reason
                == "AlreadyExists")
        var other = Lease(try await leases.get("plimsoll"))
        #expect(other.holder == "one" && other.duration == .seconds(15))
        #expect(abs((other.renewed ?? .distantPast).timeIntervalSince(now)) < 1e-6)
        other.holder = "two"
        other.transitions += 1
        other = Lease(try await leases.replace(other.object))
        lease.renewed = now + 5
        let late = lease
        #expect(await refusal { try await leases.replace(late.object) }?.isConflict == true)
        #expect(Lease(try await leases.get("plimsoll")).transitions == 1)
    }

    @Test func `records an event that kubectl describe shows`() async throws {
        let cluster = try await Cluster()
        let node = try await cluster.client.nodes.get(cluster.node)
        let about = ClusterEvent.Reference(kind: "Node", name: node.name, uid: node.uid)
        var event = ClusterEvent(
            regarding: about, reason: "ImageStorageChanged", action: "Observe",
            note: "3.7 GiB more", severity: .warning, controller: "plimsoll", instance: "test")
        try await cluster.client.record(event)
        event.note = String(repeating: "é", count: 2000)
        try await cluster.client.record(event)
        let kept = try await cluster.client.resources(.events, in: "default").list()
        #expect(kept.items.count == 2)
        #expect(kept.items.allSatisfy { ($0.json["note"]?.string ?? "").utf8.count <= 1024 })
        let description = try await Program.run(
            "kubectl",
            ["--kubeconfig", cluster.simulator.kubeconfig, "describe", "node", node.name])
        #expect(description.output.contains("ImageStorageChanged"))
        #expect(description.output.contains("3.7 GiB more"))
    }

    // MARK: Patience

    @Test func `asks again when the server says after how long`() async throws {
        let cluster = try await Cluster()
        try await cluster.simulator.command("fault", "list", "status=429,1")
        let start = ContinuousClock.now
        #expect(try await cluster.client.nodes.list().items.count == 3)
        #expect(ContinuousClock.now - start >= .seconds(1))
    }

    @Test func `does not ask again when the server does not say so`() async throws {
        let cluster = try await Cluster()
        try await cluster.simulator.command("fault", "list", "status=500")
        #expect(await refusal { _ = try await cluster.client.nodes.list() }?.httpStatus == 500)
    }

    @Test func `asks no more often than its rate allows`() async throws {
        let cluster = try await Cluster(rate: RequestRate(perSecond: 20, burst: 2))
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...8 {
                group.addTask { _ = try await cluster.client.nodes.get(cluster.node) }
            }
            try await group.waitForAll()
        }
        // Two at once, six at 20 a second.
        #expect(ContinuousClock.now - start >= .milliseconds(290))
    }

    @Test func `gives up after its time, and at once when cancelled`() async throws {
        let server = try StuckServer(at: .handshake)
        var overrides = KubeConfigurationOverrides()
        overrides.server = "http://127.0.0.1:\(server.port)"
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        let configuration = try KubeConfiguration.load(
            .file(simulator.kubeconfig), overrides: overrides)
        let impatient = KubeClient(configuration, requestTimeout: .milliseconds(300))
        #expect(await refusal { _ = try await impatient.nodes.get("x") }?.code == .timeout)
        let patient = KubeClient(configuration, requestTimeout: nil)
        let asking = Task { await refusal { _ = try await patient.nodes.get("x") }?.code }
        try await Task.sleep(for: .milliseconds(200))
        asking.cancel()
        #expect(await asking.value == .cancelled)
    }

    @Test func `use a connection for as long as it may be used, and no longer`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        let proxy = try await Proxy(.http)
        var overrides = KubeConfigurationOverrides()
        overrides.proxyURL = proxy.url
        let configuration = try KubeConfiguration.load(
            .file(simulator.kubeconfig), overrides: overrides)
        func connections(_ client: KubeClient, pause: Duration) async throws -> Int {
            let before = proxy.targets.count
            for _ in 0..<2 { _ = try await client.nodes.list() }
            try await Task.sleep(for: pause)
            _ = try await client.nodes.list()
            return proxy.targets.count - before
        }
        let lasting = KubeClient(configuration)
        #expect(try await connections(lasting, pause: .seconds(3)) == 1)
        let changing = KubeClient(configuration, maxConnectionAge: .seconds(1))
        #expect(try await connections(changing, pause: .seconds(3)) == 2)
    }
}
