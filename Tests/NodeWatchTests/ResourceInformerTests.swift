import Foundation
import KubeClient
import NodeWatch
import Synchronization
import TestSupport
import Testing

/// As much of a Service as these tests read.
private struct Service: Decodable, Sendable {
    struct Spec: Decodable, Sendable { var clusterIP: String }
    var spec: Spec
}

@Suite("Informer of any resource", .timeLimit(.minutes(Patience.minutes)))
struct ResourceInformerTests {
    private let services = ResourceType(plural: "services", kind: "Service", isNamespaced: true)

    private final class Log: Sendable {
        private let lines = Locked<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }

        func take(_ change: ObjectChange<Resource<Service>>) {
            switch change {
            case .added(let service, let isInitial):
                add(
                    "added \(service.key) \(service.spec.clusterIP)\(isInitial ? " initially" : "")"
                )
            case .updated(let old, let new):
                add("updated \(new.key) \(old.spec.clusterIP) \(new.spec.clusterIP)")
            case .deleted(let service): add("deleted \(service.key) \(service.spec.clusterIP)")
            }
        }

        func wait(_ what: String, _ isThere: ([String]) -> Bool) async throws {
            let end = ContinuousClock.now + Patience.limit
            while !isThere(all) {
                guard ContinuousClock.now < end else {
                    throw Program.TimedOut(description: "no \(what) in \(all)")
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private func service(_ name: String, _ address: JSONValue) -> KubeObject {
        var object = KubeObject(services, name: name)
        object.json["spec"] = ["clusterIP": address]
        object.labels = ["app": "web"]
        return object
    }

    @Test func `decodes, keeps and tells of objects in all namespaces`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let here = client.resources(services, in: "default")
        let there = client.resources(services, in: "kube-system")
        try await here.create(service("a", "10.0.0.1"))
        let log = Log()
        let informer = try Informer<Service>(client: client, services)
        informer.addHandler { log.take($0) }
        let byAddress = informer.store.index { [$0.spec.clusterIP] }
        let running = Task { try await informer.run() }
        try await log.wait("the first") { $0 == ["added default/a 10.0.0.1 initially"] }
        try await there.create(service("a", "10.0.0.2"))
        var written = try await here.patch("a", merge: ["spec": ["clusterIP": "10.0.0.3"]])
        try await informer.store.wait(untilAtLeast: written.resourceVersion)
        #expect(informer.store["default/a"]?.spec.clusterIP == "10.0.0.3")
        #expect(informer.store["kube-system/a"]?.spec.clusterIP == "10.0.0.2")
        #expect(byAddress["10.0.0.3"].map(\.key) == ["default/a"])
        #expect(byAddress["10.0.0.1"].isEmpty)
        // Told by now, or the update would be merged with what follows.
        try await log.wait("the update") { $0.count >= 3 }
        try await here.delete("a")
        written = try await here.create(service("a", "10.0.0.4"))
        try await informer.store.wait(untilAtLeast: written.resourceVersion)
        try await log.wait("all") { $0.count >= 5 }
        #expect(
            log.all == [
                "added default/a 10.0.0.1 initially", "added kube-system/a 10.0.0.2",
                "updated default/a 10.0.0.1 10.0.0.3", "deleted default/a 10.0.0.3",
                "added default/a 10.0.0.4",
            ])
        running.cancel()
        try await running.value
    }

    @Test func `loses nothing when its stream is cut or its version expired`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let here = client.resources(services, in: "default")
        for name in ["a", "b"] { try await here.create(service(name, "1")) }
        let informer = try Informer<Service>(client: client, services)
        let running = Task { try await informer.run() }
        #expect(await informer.store.synced())
        try await simulator.command("cut")
        try await here.delete("a")
        var written = try await here.create(service("c", "2"))
        try await informer.store.wait(untilAtLeast: written.resourceVersion)
        #expect(Set(informer.store.objects.map(\.key)) == ["default/b", "default/c"])
        try await simulator.command("compact")
        try await here.delete("b")
        written = try await here.patch("c", merge: ["spec": ["clusterIP": "3"]])
        try await informer.store.wait(untilAtLeast: written.resourceVersion)
        #expect(informer.store.objects.map(\.key) == ["default/c"])
        #expect(informer.store["default/c"]?.spec.clusterIP == "3")
        #expect(informer.statistics.relists == 1)
        running.cancel()
        try await running.value
    }

    @Test func `selects by namespace and labels`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let here = client.resources(services, in: "default")
        try await here.create(service("a", "1"))
        var other = service("b", "2")
        other.labels = ["app": "db"]
        try await here.create(other)
        try await client.resources(services, in: "kube-system").create(service("c", "3"))
        let informer = try Informer<KubeObject>(
            client: client, services, namespace: "default", labelSelector: "app=web")
        let running = Task { try await informer.run() }
        #expect(await informer.store.synced())
        #expect(informer.store.objects.map(\.key) == ["default/a"])
        #expect(informer.store["default/a"]?.value.labels == ["app": "web"])
        running.cancel()
        try await running.value
    }

    @Test func `keeps the last good state of an object that cannot be decoded, and says so`()
        async throws
    {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let here = client.resources(services, in: "default")
        try await here.create(service("a", "1"))
        try await here.create(service("never", 5))
        let rejected = Log()
        let informer = try Informer<Service>(client: client, services) { notice in
            if case .rejected(let name, let reason) = notice { rejected.add("\(name) \(reason)") }
        }
        let running = Task { try await informer.run() }
        #expect(await informer.store.synced())
        #expect(informer.store.objects.map(\.key) == ["default/a"])
        let broken = try await here.patch("a", merge: ["spec": ["clusterIP": 7]])
        try await informer.store.wait(untilAtLeast: broken.resourceVersion)
        #expect(informer.store["default/a"]?.spec.clusterIP == "1")
        #expect(rejected.all.count == 2)
        #expect(rejected.all[1].hasPrefix("a it cannot be decoded: "), "\(rejected.all)")
        #expect(informer.statistics.rejected == 2)
        let mended = try await here.patch("a", merge: ["spec": ["clusterIP": "8"]])
        try await informer.store.wait(untilAtLeast: mended.resourceVersion)
        #expect(informer.store["default/a"]?.spec.clusterIP == "8")
        try await here.delete("a")
        let last = try await here.create(service("z", "9"))
        try await informer.store.wait(untilAtLeast: last.resourceVersion)
        #expect(informer.store["default/a"] == nil)
        running.cancel()
        try await running.value
    }

    @Test func `says what must be granted`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "1"])
        defer { simulator.stop() }
        var overrides = KubeConfigurationOverrides()
        overrides.impersonatedUser = "reader"
        let client = KubeClient(try .load(.file(simulator.kubeconfig), overrides: overrides))
        let problems = Log()
        let leases = try Informer<KubeObject>(client: client, .leases) { notice in
            if case .problem(let error, _, _) = notice { problems.add(error.message) }
        }
        let running = Task { try await leases.run() }
        try await problems.wait("refusal") { !$0.isEmpty }
        #expect(
            problems.all[0].hasSuffix(
                "It needs the verbs list and watch on leases.coordination.k8s.io"))
        running.cancel()
        try await running.value
    }
}
