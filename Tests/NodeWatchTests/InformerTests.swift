import Foundation
import KubeClient
import NodeWatch
import Synchronization
import TestSupport
import Testing

/// An informer that runs, and what it told.
private final class Observed: Sendable {
    let informer: SharedNodeInformer
    private let changes = Locked<[String]>([])
    private let running = Locked<Task<Void, Never>?>(nil)

    init(
        _ simulator: SimulatorProcess, _ selector: NodeSelector = .all,
        startingAt version: String? = nil
    ) throws {
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let box = NoticeBox()
        informer = try SharedNodeInformer(client: client, selector: selector) { box.append($0) }
        self.box = box
        informer.addHandler { [weak self] change in self?.append(change) }
        let informer = informer
        running.withLock { $0 = Task { try? await informer.run() } }
    }

    private let box: NoticeBox
    var seenNotices: [WatchNotice] { box.all }
    var seen: [String] { changes.withLock { $0 } }

    func forget() { changes.withLock { $0 = [] } }

    func stop() async {
        let task = running.withLock { $0.take() }
        task?.cancel()
        await task?.value
    }

    func wait(_ what: String, _ isThere: () -> Bool) async throws {
        try await eventually("\(what); changes: \(seen); notices: \(seenNotices)", isThere)
    }

    private func append(_ change: NodeChange) {
        let line =
            switch change {
            case .added(let node, let isInitial):
                "added \(node.name)\(isInitial ? " initially" : "")"
            case .updated(let old, let new):
                "updated \(new.name) \(old.imageCount)->\(new.imageCount)"
            case .deleted(let node): "deleted \(node.name)"
            }
        changes.withLock { $0.append(line) }
    }
}

private final class NoticeBox: Sendable {
    private let notices = Locked<[WatchNotice]>([])
    var all: [WatchNotice] { notices.withLock { $0 } }
    func append(_ notice: WatchNotice) { notices.withLock { $0.append(notice) } }
}

@Suite("SharedNodeInformer", .timeLimit(.minutes(Patience.minutes)))
struct InformerTests {
    @Test func `hears of nothing new when the other wire format comes`() async throws {
        let simulator = try await simulator("--nodes", "5")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("sync") { observed.seen.count == 5 }
        #expect(observed.informer.statistics.wireFormat == .protobuf)
        observed.forget()
        for (format, command) in [(WireFormat.json, "compact"), (.protobuf, "cut"), (.json, "cut")]
        {
            if format == .json { try await simulator.command("fault", "watch", "json") }
            try await simulator.command(command)
            try await observed.wait("\(format)") {
                observed.informer.statistics.wireFormat == format
            }
            let version = observed.informer.store.resourceVersion
            try await simulator.command("heartbeats", "20")
            try await observed.wait("heartbeats") {
                observed.informer.store.resourceVersion != version
            }
        }
        try await expectEqual(observed.informer.store, simulator)
        #expect(observed.seen.isEmpty)
        await observed.stop()
    }

    /// One that finds a second of silence too long, running and synced.
    private func impatient(_ simulator: SimulatorProcess) async throws
        -> (informer: SharedNodeInformer, running: Task<Void, any Error>)
    {
        var options = RunnerOptions()
        options.silencePatience = .seconds(1)
        let informer = try SharedNodeInformer(
            client: KubeClient(try .load(.file(simulator.kubeconfig))), options: options
        ) { _ in }
        let running = Task { try await informer.run() }
        _ = await informer.store.synced()
        return (informer, running)
    }

    @Test func `finds out that nothing comes any more, and misses nothing`() async throws {
        let simulator = try await simulator("--nodes", "4", "--bookmark-interval", "0.2")
        defer { simulator.stop() }
        let (nodes, running) = try await impatient(simulator)
        defer { running.cancel() }
        let name = try #require(nodes.store.nodes.first).name
        try await simulator.command("mute")
        try await simulator.command("pull", name, "quiet:1", "5MB")
        try await eventually("the pull") {
            nodes.store[name]?.images.contains { $0.names.contains("quiet:1") } == true
        }
        #expect(nodes.statistics.silences == 1)
        #expect(nodes.statistics.relists == 0 && nodes.statistics.rewinds == 0)
        #expect(nodes.freshness.lastDisconnect?.reason.hasPrefix("nothing came for 1 s") == true)
        try await expectEqual(nodes.store, simulator)
    }

    /// With heartbeats the server's version may have passed the client's before anybody asks.
    @Test(arguments: [0, 1, 30])
    func `finds out that the server was restored from a backup`(heartbeats: Int) async throws {
        let simulator = try await simulator("--nodes", "4", "--bookmark-interval", "0.2")
        defer { simulator.stop() }
        let (nodes, running) = try await impatient(simulator)
        defer { running.cancel() }
        let known = nodes.store.nodes
        try await simulator.command("back-up")
        try await simulator.command("pull", known[0].name, "lost:1", "5MB")
        try await simulator.command("delete-node", known[1].name)
        try await simulator.command("heartbeats", "20")
        try await eventually("the deletion") { nodes.store.count == 3 }
        try await eventually("the heartbeats") {
            nodes.store.resourceVersion.flatMap { Int($0) } ?? 0 >= 1022
        }
        try await simulator.command("restore")
        if heartbeats > 0 { try await simulator.command("heartbeats", "\(heartbeats)") }
        try await eventually("the state of the backup") {
            nodes.store.count == 4
                && nodes.store[known[0].name]?.images.contains { $0.names.contains("lost:1") }
                    == false
        }
        let versions = Set(try await simulator.nodes().map(\.resourceVersion))
        try await eventually("the last heartbeats") {
            Set(nodes.store.nodes.map(\.resourceVersion)) == versions
        }
        try await expectEqual(nodes.store, simulator)
        #expect(nodes.statistics.rewinds == 1 || heartbeats == 30)
    }

    @Test func `asks for JSON where a server's protobuf proves to be none`() async throws {
        let simulator = try await simulator("--nodes", "5")
        defer { simulator.stop() }
        try await simulator.command("fault", "watch", "garbage")
        let observed = try Observed(simulator)
        try await observed.wait("sync") { observed.seen.count == 5 }
        #expect(observed.informer.statistics.wireFormat == .json)
        try await expectEqual(observed.informer.store, simulator)
        await observed.stop()
    }

    @Test func `stays with protobuf after a page that came from somewhere between`() async throws {
        let simulator = try await simulator("--nodes", "5")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("sync") { observed.seen.count == 5 }
        try await simulator.command("fault", "any", "html")
        try await simulator.command("cut")
        try await eventually("a failure") { observed.informer.statistics.reconnects > 0 }
        try await simulator.command("compact")
        try await eventually("a new list") { observed.informer.statistics.relists > 0 }
        #expect(observed.informer.statistics.wireFormat == .protobuf)
        await observed.stop()
    }

    private func simulator(_ arguments: String...) async throws -> SimulatorProcess {
        try await SimulatorProcess(["--heartbeat-interval", "0"] + arguments)
    }

    /// The store as the simulator's own model would have it.
    private func expectEqual(
        _ store: NodeStore, _ simulator: SimulatorProcess
    ) async throws {
        let expected = Set(try await simulator.nodes())
        let ours = Set(
            store.nodes.map {
                SimulatorProcess.Node(
                    name: $0.name, uid: $0.uid, resourceVersion: $0.resourceVersion,
                    imageBytes: $0.imageBytes, imageCount: $0.imageCount)
            })
        #expect(ours.subtracting(expected) == [])
        #expect(expected.subtracting(ours) == [])
    }

    @Test(arguments: [[], ["--no-streaming-lists"]])
    func `mirrors the cluster, of any shape`(arguments: [String]) async throws {
        let simulator = try await SimulatorProcess(
            ["--nodes", "300", "--profile", "eks,aks,gke", "--heartbeat-interval", "0"]
                + arguments)
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("sync") { observed.informer.store.hasSynced }
        try await observed.wait("initial nodes") { observed.seen.count == 300 }
        #expect(observed.seen.allSatisfy { $0.hasSuffix(" initially") })
        try await expectEqual(observed.informer.store, simulator)
        #expect(
            observed.informer.statistics.initialSync?.kind
                == (arguments.isEmpty ? .watchList : .list))
        await observed.stop()
    }

    @Test func `tells of changes, and of heartbeats nothing`() async throws {
        let simulator = try await simulator("--nodes", "3")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("initial nodes") { observed.seen.count == 3 }
        observed.forget()
        let nodes = try await simulator.nodes()
        let name = nodes[0].name
        try await simulator.command("heartbeats", "1000")
        try await simulator.command("pull", name, "x:1", "5MB")
        try await simulator.command("delete-node", nodes[1].name)
        try await observed.wait("changes") { observed.seen.count == 2 }
        let count = nodes[0].imageCount
        #expect(
            observed.seen == [
                "updated \(name) \(count)->\(count + 1)",
                "deleted \(nodes[1].name)",
            ])
        #expect(observed.informer.statistics.heartbeats >= 1000)
        try await expectEqual(observed.informer.store, simulator)
        await observed.stop()
    }

    @Test func `loses nothing while the stream is cut`() async throws {
        let simulator = try await simulator("--nodes", "5")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("initial nodes") { observed.seen.count == 5 }
        observed.forget()
        let nodes = try await simulator.nodes()
        try await simulator.command("fault", "watch", "status=503")
        try await simulator.command("cut")
        try await simulator.command("pull", nodes[0].name, "x:1", "5MB")
        try await simulator.command("delete-node", nodes[1].name)
        try await observed.wait("changes") { observed.seen.count >= 2 }
        #expect(observed.seen.count == 2)
        try await expectEqual(observed.informer.store, simulator)
        #expect(observed.informer.statistics.relists == 0)
        #expect(observed.informer.statistics.reconnects >= 1)
        #expect(
            observed.seenNotices.contains { if case .resumed = $0 { true } else { false } })
        await observed.stop()
    }

    @Test func `finds what happened while its version expired`() async throws {
        let simulator = try await simulator("--nodes", "6")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("initial nodes") { observed.seen.count == 6 }
        observed.forget()
        let nodes = try await simulator.nodes()
        // The watch is held up while the world moves on, and its history is lost.
        try await simulator.command("fault", "watch", "status=503")
        try await simulator.command("fault", "watch", "status=503")
        try await simulator.command("cut")
        try await simulator.command("pull", nodes[0].name, "x:1", "5MB")
        try await simulator.command("delete-node", nodes[1].name)
        try await simulator.command("replace-node", nodes[2].name)
        try await simulator.command("forget-history")
        try await observed.wait("relist") { observed.informer.statistics.relists == 1 }
        try await observed.wait("changes") { observed.seen.count >= 4 }
        let count = nodes[0].imageCount
        #expect(
            Set(observed.seen) == [
                "updated \(nodes[0].name) \(count)->\(count + 1)", "deleted \(nodes[1].name)",
                "deleted \(nodes[2].name)", "added \(nodes[2].name)",
            ])
        try await expectEqual(observed.informer.store, simulator)
        observed.forget()
        // A new list by itself is no change.
        try await simulator.command("compact")
        try await observed.wait("relist") { observed.informer.statistics.relists == 2 }
        try await Task.sleep(for: .milliseconds(100))
        #expect(observed.seen == [])
        await observed.stop()
    }

    @Test(arguments: [true, false])
    func `tells what has happened since a version, if the server remembers it`(
        isRemembered: Bool
    ) async throws {
        // More than a page of the list.
        let simulator = try await simulator("--nodes", "620")
        defer { simulator.stop() }
        let first = try Observed(simulator)
        try await first.wait("initial nodes") { first.seen.count == 620 }
        let version = try #require(first.informer.progress).string
        await first.stop()
        let nodes = try await simulator.nodes()
        try await simulator.command("pull", nodes[0].name, "x:1", "5MB")
        try await simulator.command("delete-node", nodes[1].name)
        try await simulator.command("replace-node", nodes[2].name)
        if !isRemembered { try await simulator.command("forget-history") }

        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let informer = try SharedNodeInformer(client: client, startingAt: version)
        var reader = informer.everyChange().makeAsyncIterator()
        let task = Task { try? await informer.run() }
        // A reader that comes late is told all the same.
        let latest = try await simulator.nodes().map { Int($0.resourceVersion) ?? 0 }.max()
        try await informer.store.wait(untilAtLeast: "\(try #require(latest))")
        let count = nodes[0].imageCount
        let changes = [
            "updated \(nodes[0].name) \(count)->\(count + 1)", "deleted \(nodes[1].name)",
            "deleted \(nodes[2].name)", "added \(nodes[2].name)",
        ]
        var initial = 0
        var seen: [String] = []
        while initial + seen.count < (isRemembered ? 624 : 619), let change = await reader.next() {
            switch change {
            case .added(_, true): initial += 1
            case .added(let node, false): seen.append("added \(node.name)")
            case .updated(let old, let new):
                seen.append("updated \(new.name) \(old.imageCount)->\(new.imageCount)")
            case .deleted(let node): seen.append("deleted \(node.name)")
            }
        }
        #expect(seen == (isRemembered ? changes : []))
        #expect(initial == (isRemembered ? 620 : 619))
        try await expectEqual(informer.store, simulator)
        task.cancel()
        await task.value
    }

    @Test func `keeps its last good state through a list that breaks off`() async throws {
        let simulator = try await simulator("--nodes", "5")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("initial nodes") { observed.seen.count == 5 }
        observed.forget()
        try await simulator.command("fault", "watch", "truncate=30000")
        try await simulator.command("fault", "any", "html")
        try await simulator.command("compact")
        try await observed.wait("relist") { observed.informer.statistics.relists == 1 }
        #expect(observed.seen == [])
        #expect(observed.informer.store.count == 5)
        try await expectEqual(observed.informer.store, simulator)
        await observed.stop()
    }

    @Test func `asks for watches that end by themselves, not all at once`() async throws {
        let simulator = try await simulator("--nodes", "2")
        defer { simulator.stop() }
        let targets = Mutex<[String]>([])
        let client = KubeClient(try .load(.file(simulator.kubeconfig))) { trace in
            if case .request(_, let target) = trace { targets.withLock { $0.append(target) } }
        }
        let informer = try SharedNodeInformer(client: client)
        let task = Task { try? await informer.run() }
        _ = await informer.store.synced()
        // A watch that is only on its way does not end by it: again, until there are enough.
        try await eventually("new lists") {
            try await simulator.command("compact")
            return targets.withLock { $0.count } >= 11
        }
        task.cancel()
        await task.value
        let seconds = targets.withLock { $0 }.compactMap { target in
            target.split(separator: "&").first { $0.hasPrefix("timeoutSeconds=") }
                .flatMap { Int($0.dropFirst(15)) }
        }
        #expect(seconds.count >= 11 && seconds.allSatisfy { (300...600).contains($0) })
        #expect(Set(seconds).count > 1)
    }

    @Test(arguments: ["0", "0.2"])
    func `leaves a streaming list that has no end, be it quiet or busy`(
        interval: String
    ) async throws {
        let simulator = try await SimulatorProcess([
            "--nodes", "2", "--heartbeat-interval", interval,
        ])
        defer { simulator.stop() }
        try await simulator.command("fault", "watch", "no-end-bookmark")
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        var options = RunnerOptions()
        options.endBookmarkPatience = .milliseconds(500)
        let informer = try SharedNodeInformer(client: client, options: options) { _ in }
        let task = Task { try? await informer.run() }
        var names: [String] = []
        for await change in informer.changes() {
            names.append(change.node.name)
            if names.count == 2 { break }
        }
        #expect(informer.statistics.initialSync?.kind == .list)
        task.cancel()
        await task.value
    }

    @Test func `selects on the server and treats what leaves the selector as gone`() async throws {
        let simulator = try await simulator("--nodes", "4")
        defer { simulator.stop() }
        let nodes = try await simulator.nodes()
        let observed = try Observed(
            simulator, NodeSelector(fields: "spec.unschedulable=false"))
        try await observed.wait("initial nodes") { observed.seen.count == 4 }
        observed.forget()
        try await simulator.command("cordon", nodes[2].name)
        try await observed.wait("deletion") { observed.seen == ["deleted \(nodes[2].name)"] }
        try await simulator.command("uncordon", nodes[2].name)
        try await observed.wait("return") { observed.seen.last == "added \(nodes[2].name)" }
        await observed.stop()
    }

    @Test func `gives a late reader the nodes that are there, then what happens, then the end`()
        async throws
    {
        let simulator = try await simulator("--nodes", "3")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        try await observed.wait("sync") { observed.informer.store.hasSynced }
        var late = observed.informer.changes().makeAsyncIterator()
        for _ in 0..<3 {
            guard case .added(_, isInInitialList: true) = await late.next() else {
                Issue.record("not an initial node")
                return
            }
        }
        let name = try await simulator.nodes()[0].name
        try await simulator.command(
            "remove", name, "602401143452.dkr.ecr.il-central-1.amazonaws.com/eks/pause:3.10")
        guard case .updated(let old, let new)? = await late.next() else {
            Issue.record("not an update")
            return
        }
        #expect(old.imageCount == new.imageCount + 1)
        await observed.stop()
        #expect(await late.next() == nil)
        await #expect(throws: KubeError.self) { try await observed.informer.run() }
    }

    @Test func `stops at once while it waits, connects or reads`() async throws {
        let server = try StuckServer(at: .handshake)
        let text = """
            {"clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:\(server.port)"}}],
            "contexts":[{"name":"x","context":{"cluster":"c"}}],"current-context":"x"}
            """
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).kubeconfig")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let informer = try SharedNodeInformer(client: KubeClient(try .load(.file(file.path))))
        let task = Task { try? await informer.run() }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await task.value
    }

    @Test func `reads what was just written once the store is at its version`() async throws {
        let simulator = try await simulator("--nodes", "3")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        let store = observed.informer.store
        #expect(await store.synced())
        let client = KubeClient(try .load(.file(simulator.kubeconfig)))
        let name = try await simulator.nodes()[0].name
        let written = try await client.nodes.patch(
            name, merge: ["spec": ["unschedulable": true]])
        try await store.wait(untilAtLeast: written.resourceVersion)
        #expect(store[name]?.isUnschedulable == true)
        await observed.stop()
    }

    @Test func `says how fresh it is, and why it may not be`() async throws {
        let simulator = try await simulator("--nodes", "2", "--bookmark-interval", "1")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        #expect(observed.informer.freshness.objection(staleAfter: .seconds(60)) != nil)
        #expect(await observed.informer.store.synced())
        try await observed.wait("a bookmark") {
            observed.informer.freshness.sinceLastBookmark != nil
        }
        var freshness = observed.informer.freshness
        #expect(freshness.state == .watching && freshness.lastDisconnect == nil)
        #expect(freshness.resourceVersion == observed.informer.store.resourceVersion)
        #expect(freshness.objection(staleAfter: .seconds(60)) == nil)
        try await simulator.command("cut")
        try await observed.wait("the reason of the cut") {
            observed.informer.freshness.lastDisconnect != nil
        }
        simulator.program.signal(SIGSTOP)
        try await observed.wait("staleness") {
            observed.informer.freshness.objection(staleAfter: .seconds(2)) != nil
        }
        freshness = observed.informer.freshness
        #expect(freshness.hasSynced)
        let objection = try #require(freshness.objection(staleAfter: .seconds(2)))
        #expect(objection.contains("nothing from the server for "), "\(objection)")
        simulator.program.signal(SIGCONT)
        try await observed.wait("freshness") {
            observed.informer.freshness.objection(staleAfter: .seconds(2)) == nil
        }
        await observed.stop()
        #expect(observed.informer.freshness.objection(staleAfter: .seconds(2)) == "stopped")
    }

    @Test func `goes on reading while a handler is blocked, which then hears the last word`()
        async throws
    {
        let simulator = try await simulator("--nodes", "50")
        defer { simulator.stop() }
        let observed = try Observed(simulator)
        let gate = Locked(false)
        let last = Locked<[String: Bool]>([:])
        let blocked = observed.informer.addHandler { change in
            while !gate.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            last.withLock { $0[change.node.name] = change.node.isUnschedulable }
        }
        #expect(await observed.informer.store.synced())
        let names = try await simulator.nodes().map(\.name)
        try await simulator.command("heartbeats", "30000")
        for name in names[..<5] { try await simulator.command("cordon", name) }
        try await observed.wait("all that happened") {
            observed.informer.statistics.heartbeats >= 30_000
                && observed.informer.store[names[4]]?.isUnschedulable == true
        }
        #expect(!blocked.hasSynced && last.withLock { $0.count } <= 1)
        gate.withLock { $0 = true }
        try await observed.wait("the last word") {
            last.withLock { last in last.count == 50 && names[..<5].allSatisfy { last[$0] == true }
            }
        }
        await observed.stop()
    }
}
