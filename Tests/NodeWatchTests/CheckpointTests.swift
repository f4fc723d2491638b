import Foundation
import KubeClient
import NodeWatch
import Synchronization
import TestSupport
import Testing

@Suite("Checkpoint", .timeLimit(.minutes(Patience.minutes)))
struct CheckpointTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/checkpoint"
    }

    private func image(_ name: String, _ size: Int) -> ContainerImage {
        ContainerImage(
            names: ["example.org/\(name)@sha256:1", "example.org/\(name):1"], sizeBytes: size)
    }

    /// Nodes with everything there is, and with nothing.
    private var nodes: [NodeSummary] {
        var full = NodeSummary.Contents(
            name: "full", uid: "0d760ecc-4682-46a1-b386-b8ac945c06c6", resourceVersion: "17",
            images: [image("a", 1 << 40), image("b", 7), image("a", 1 << 40)])
        full.creationTimestamp = "2026-11-23T01:37:03Z"
        full.deletionTimestamp = "2026-11-23T01:37:04Z"
        (full.pool, full.zone, full.instanceType, full.architecture) = ("p", "z", "", "arm64")
        full.isUnschedulable = true
        (full.capacityBytes, full.allocatableBytes) = (107_361_579_008, 0)
        (full.ready, full.diskPressure) = (.isTrue, .unknown)
        full.containerRuntimeVersion = "containerd://2.1"
        full.kubeletVersion = "v1.36.2"
        full.bootID = "no uuid"
        let overflowing = NodeSummary.Contents(
            name: "overflowing", uid: "odd", resourceVersion: "abc",
            images: [image("c", .max), image("d", .max), ContainerImage(names: [], sizeBytes: 0)])
        return [
            NodeSummary(full), NodeSummary(overflowing),
            NodeSummary(NodeSummary.Contents(name: "bare")),
            NodeSummary(NodeSummary.Contents(name: "empty", images: [])),
        ]
    }

    private func table(_ nodes: [NodeSummary]) -> NodeTable {
        nodes.reduce(into: NodeTable()) { _ = $0.apply($1, seen: 0) }
    }

    private func save(_ checkpoint: NodeCheckpoint, _ selector: NodeSelector = .all) throws {
        try checkpoint.save(table(nodes), .number(18), cluster: "https://a", selector)
    }

    private func load(
        _ checkpoint: NodeCheckpoint, cluster: String = "https://a",
        _ selector: NodeSelector = .all
    ) -> (nodes: [NodeSummary.Contents]?, notices: [String]) {
        var notices: [String] = []
        let state = checkpoint.load(cluster: cluster, selector) { notice in
            switch notice {
            case .found(let nodes, let version, _): notices.append("\(nodes) at \(version)")
            case .setAside(let reason, _): notices.append(reason)
            case .failed(let error): notices.append(error.message)
            }
        }
        return (state?.table.objects.map(\.contents), notices)
    }

    @Test func `gives back what was kept, to the last field`() throws {
        let checkpoint = NodeCheckpoint(path: path)
        #expect(load(checkpoint).nodes == nil && load(checkpoint).notices == [])
        try save(checkpoint)
        let (found, notices) = load(checkpoint)
        #expect(found == nodes.map(\.contents))
        #expect(notices == ["4 at 18"])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `is of one cluster and one selection, and else set aside`() throws {
        let anywhere = NodeCheckpoint(path: path, clusterName: "prod")
        try save(anywhere)
        #expect(load(anywhere, cluster: "https://b").nodes?.count == 4)
        let other = NodeCheckpoint(path: path, clusterName: "test")
        #expect(load(other).notices == ["it is of another cluster, prod"])
        #expect(FileManager.default.fileExists(atPath: path + ".unused"))
        #expect(load(other).notices == [])

        let checkpoint = NodeCheckpoint(path: path)
        try save(checkpoint)
        #expect(
            load(checkpoint, cluster: "https://b").notices == [
                "it is of another cluster, https://a"
            ])
        try save(checkpoint, .labels("pool=gpu"))
        #expect(load(checkpoint).notices == ["it is of other nodes, labels pool=gpu"])
    }

    @Test func `is set aside when it is damaged, wherever`() throws {
        let checkpoint = NodeCheckpoint(path: path)
        try save(checkpoint)
        let whole = try Data(contentsOf: URL(filePath: path))
        let start = try #require(whole.firstIndex(of: UInt8(ascii: "\n"))) + 1
        for at in stride(from: 0, to: whole.count, by: 3) {
            try whole.prefix(at).write(to: URL(filePath: path))
            #expect(load(checkpoint).nodes == nil)
            var changed = whole
            changed[at] ^= 0x20
            try changed.write(to: URL(filePath: path))
            let found = load(checkpoint).nodes
            // Of the first line not all matters.
            if at >= start { #expect(found == nil, "byte \(at)") }
        }
        try Data("x\n".utf8).write(to: URL(filePath: path))
        #expect(load(checkpoint).notices == ["it is no checkpoint"])
        let newer = String(decoding: whole[..<start], as: UTF8.self)
            .replacing("Checkpoint\":2", with: "Checkpoint\":3")
        try (Data(newer.utf8) + whole[start...]).write(to: URL(filePath: path))
        #expect(load(checkpoint).notices == ["it is of version 3"])
    }

    @Test func `reads no further than the bytes go, whatever they say`() throws {
        let bytes = CheckpointBody.bytes(table(nodes))
        func parse(_ bytes: [UInt8]) -> Int? {
            bytes.withUnsafeBytes { try? CheckpointBody.table($0, seen: 0).count }
        }
        #expect(parse(bytes) == 4)
        for at in bytes.indices {
            #expect(parse(Array(bytes[..<at])) == nil)
            for value in [0, 1, 0x7f, 0xff] as [UInt8] {
                var changed = bytes
                changed[at] = value
                _ = parse(changed)
            }
        }
    }

    // MARK: With a server

    private func contents(_ nodes: [NodeSummary]) -> [String] {
        nodes.map { "\($0.uid) \($0.resourceVersion) \($0.imageCount)" }.sorted()
    }

    /// Runs an informer until its store is as the server's, and gives the changes that were told and how the
    /// first list came.
    private func run(
        _ simulator: SimulatorProcess, _ checkpoint: NodeCheckpoint,
        until isDone: @escaping @Sendable ([String]) async throws -> Bool
    ) async throws -> (told: [String], statistics: WatchStatistics) {
        let informer = try SharedNodeInformer(
            client: KubeClient(try .load(.file(simulator.kubeconfig))), checkpoint: checkpoint)
        let told = Locked<[String]>([])
        informer.addHandler { change in
            let line: String? =
                switch change {
                case .added(let node, let isInitial): isInitial ? nil : "added \(node.name)"
                case .updated(_, let node): "updated \(node.name) \(node.imageCount)"
                case .deleted(let node): "deleted \(node.name)"
                }
            if let line { told.withLock { $0.append(line) } }
        }
        let running = Task { try await informer.run() }
        #expect(await informer.store.synced())
        while true {
            let model = try await simulator.nodes()
            let truth = model.map { "\($0.uid) \($0.resourceVersion) \($0.imageCount)" }.sorted()
            if contents(informer.store.nodes) == truth, try await isDone(told.withLock { $0 }) {
                break
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        running.cancel()
        _ = await running.result
        return (told.withLock { $0 }, informer.statistics)
    }

    @Test(arguments: [false, true])
    func `finds what happened meanwhile, without a list where the server remembers`(
        forgets: Bool
    ) async throws {
        let simulator = try await SimulatorProcess(["--nodes", "5", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let checkpoint = NodeCheckpoint(path: path)
        let first = try await run(simulator, checkpoint) { _ in true }
        #expect(first.told == [] && first.statistics.initialSync?.kind == .watchList)

        let nodes = try await simulator.nodes()
        try await simulator.command("pull", nodes[0].name, "example.org/new:1", "10MB")
        try await simulator.command("delete-node", nodes[1].name)
        try await simulator.command("add-node")
        if forgets { try await simulator.command("forget-history") }
        let expected = [
            "updated \(nodes[0].name) \(nodes[0].imageCount + 1)", "deleted \(nodes[1].name)",
        ]
        let second = try await run(simulator, checkpoint) { told in
            told.count == 3 && expected.allSatisfy(told.contains)
        }
        #expect(second.statistics.initialSync?.kind == (forgets ? .watchList : .checkpoint))
        #expect(second.statistics.rewinds == 0)

        // What was told is not told again.
        let third = try await run(simulator, checkpoint) { _ in true }
        #expect(third.told == [] && third.statistics.initialSync?.kind == .checkpoint)
    }

    @Test func `is no use where the server has gone back, and that is noticed`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "5", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let checkpoint = NodeCheckpoint(path: path)
        try await simulator.command("back-up")
        try await simulator.command("heartbeats", "10")
        let node = try await simulator.nodes()[0]
        try await simulator.command("pull", node.name, "example.org/new:1", "10MB")
        _ = try await run(simulator, checkpoint) { _ in true }
        try await simulator.command("restore")
        let again = try await run(simulator, checkpoint) { !$0.isEmpty }
        #expect(again.told == ["updated \(node.name) \(node.imageCount)"])
        #expect(again.statistics.rewinds == 1)
    }

    @Test func `is kept while the informer runs`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "3", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let path = path
        _ = try await run(simulator, NodeCheckpoint(path: path, interval: .milliseconds(50))) { _ in
            FileManager.default.fileExists(atPath: path)
        }
    }

    @Test func `waits for a reader that has not dealt with what it would hold`() async throws {
        let simulator = try await SimulatorProcess(["--nodes", "2", "--heartbeat-interval", "0"])
        defer { simulator.stop() }
        let informer = try SharedNodeInformer(
            client: KubeClient(try .load(.file(simulator.kubeconfig))),
            checkpoint: NodeCheckpoint(path: path, interval: .milliseconds(50)))
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        let isStuck = Locked(false)
        informer.addHandler { change in
            guard case .updated = change else { return }
            isStuck.withLock { $0 = true }
            for await _ in opened {}
        }
        let running = Task { try await informer.run() }
        func saved() -> String {
            String(
                decoding: (try? Data(contentsOf: URL(filePath: path))) ?? Data(), as: UTF8.self)
        }
        try await eventually("the first") { !saved().isEmpty }
        let node = try await simulator.nodes()[0]
        try await simulator.command("pull", node.name, "example.org/new:1", "10MB")
        let version = try await simulator.nodes()[0].resourceVersion
        try await eventually("the handler") { isStuck.withLock { $0 } }
        try await Task.sleep(for: .milliseconds(300))
        #expect(!NodeCheckpointHeader(saved()).says(version))
        open.finish()
        try await eventually("the next") { NodeCheckpointHeader(saved()).says(version) }
        running.cancel()
        _ = await running.result
    }
}

/// The first line of a checkpoint.
private struct NodeCheckpointHeader {
    private let line: Substring

    init(_ text: String) { line = text.prefix { $0 != "\n" } }

    func says(_ version: String) -> Bool { line.contains("\"resourceVersion\":\"\(version)\"") }
}
