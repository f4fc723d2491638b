import KubeClient
import NodeWatch
import Synchronization
import TestSupport
import Testing

/// What handlers of a cache are told, without a server: the test is the stream.
@Suite("Handlers", .timeLimit(.minutes(Patience.minutes)))
struct HandlerTests {
    private typealias Core = InformerCore<NodeTable>

    /// What a handler saw.
    private final class View: Sendable {
        private struct State {
            var nodes: [String: NodeSummary] = [:]
            var initial = 0
            var added = 0
            var resyncs = 0
            var faults: [String] = []
        }

        private let state = Locked(State())

        var nodes: [String: NodeSummary] { state.withLock { $0.nodes } }
        var initial: Int { state.withLock { $0.initial } }
        var added: Int { state.withLock { $0.added } }
        var resyncs: Int { state.withLock { $0.resyncs } }
        var faults: [String] { state.withLock { $0.faults } }

        func take(_ change: NodeChange) {
            state.withLock { state in
                switch change {
                case .added(let node, let isInitial):
                    if state.nodes[node.name] != nil { state.faults.append("twice \(node)") }
                    state.nodes[node.name] = node
                    if isInitial { state.initial += 1 } else { state.added += 1 }
                case .updated(let old, let new):
                    if state.nodes[new.name]?.hasSameContent(as: old) != true {
                        state.faults.append("not its last: \(old)")
                    }
                    if old.hasSameContent(as: new) { state.resyncs += 1 }
                    state.nodes[new.name] = new
                case .deleted(let node):
                    if state.nodes.removeValue(forKey: node.name) == nil {
                        state.faults.append("not there: \(node)")
                    }
                }
            }
        }

        func isEqual(_ hub: NodeHub) -> Bool {
            let table = hub.table
            let mine = nodes
            return mine.count == table.count
                && table.objects.allSatisfy { mine[$0.name]?.hasSameContent(as: $0) == true }
        }
    }

    private func core(
        queueLimit: Int = 100, resync: Duration? = nil,
        onHandlerError: @escaping @Sendable (any Error) -> Void = { _ in }
    ) throws -> Core {
        try Core(queueLimit: queueLimit, resync: resync, onHandlerError: onHandlerError)
    }

    private func list(_ count: Int, version: Int = 1) -> NodeTable {
        var table = NodeTable()
        for number in 0..<count { _ = table.apply(node("n\(number)", version: version), seen: 0) }
        return table
    }

    private func change(_ core: Core, _ name: String, version: Int, images: Int) {
        let images = (0..<images).map { ContainerImage(names: ["i\($0)"], sizeBytes: $0) }
        core.hub.apply { transaction in
            _ = transaction.apply {
                $0.apply(node(name, version: version, images: images), seen: 0)
            }
        }
    }

    @Test(arguments: [0, 3, 1000])
    func `has synced when its handler has dealt with all that was there, be it nothing`(
        count: Int
    ) async throws {
        let core = try core()
        let view = View()
        let gate = Locked(false)
        let handler = core.addHandler(resync: nil) { change in
            while !gate.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
            view.take(change)
        }
        #expect(!handler.hasSynced)
        core.hub.replace(with: list(count), version: nil)
        #expect(handler.hasSynced == false || count == 0)
        gate.withLock { $0 = true }
        #expect(await handler.synced())
        #expect(handler.hasSynced)
        #expect(view.initial == count)
    }

    @Test func `gives a late handler what is there once, then what happens`() async throws {
        let core = try core()
        core.hub.replace(with: list(500), version: nil)
        let changing = Task.detached {
            for version in 2..<2000 {
                self.change(core, "n\(version % 600)", version: version, images: version % 5)
            }
        }
        var views: [View] = []
        for _ in 0..<20 {
            let view = View()
            views.append(view)
            core.addHandler(resync: nil) { view.take($0) }
            await Task.yield()
        }
        await changing.value
        for view in views {
            try await eventually("equal") { view.isEqual(core.hub) }
            #expect(view.faults == [])
            #expect(view.initial >= 500 && view.initial + view.added == 600)
        }
    }

    @Test func `tells again of what is there only those who asked for a resync`() async throws {
        let core = try core(resync: nil)
        core.hub.replace(with: list(3), version: nil)
        let (eager, quiet) = (View(), View())
        let handler = core.addHandler(resync: .seconds(1)) { eager.take($0) }
        core.addHandler(resync: nil) { quiet.take($0) }
        try await eventually("two resyncs") { eager.resyncs >= 6 }
        core.hub.apply { transaction in _ = transaction.apply { $0.delete("n1") } }
        let before = eager.resyncs
        try await eventually("another") { eager.resyncs >= before + 2 }
        #expect(Set(eager.nodes.keys) == ["n0", "n2"])
        #expect(eager.faults == [] && quiet.resyncs == 0)
        handler.remove()
        await handler.ended()
    }

    @Test func `may be removed from inside itself, and twice, and nobody else notices`()
        async throws
    {
        let core = try core()
        let (first, other) = (View(), View())
        let mine = Locked<HandlerRegistration?>(nil)
        let registration = core.addHandler(resync: nil) { change in
            first.take(change)
            mine.withLock { $0 }?.remove()
        }
        mine.withLock { $0 = registration }
        core.addHandler(resync: nil) { other.take($0) }
        core.hub.replace(with: list(50), version: nil)
        await registration.ended()
        #expect(first.nodes.count == 1)
        registration.remove()
        change(core, "n7", version: 2, images: 1)
        try await eventually("the other's view") { other.isEqual(core.hub) }
        #expect(first.nodes.count == 1)
        #expect(await registration.synced() == false)
    }

    @Test func `goes on after a handler threw, and says so`() async throws {
        struct Refused: Error {}
        let errors = Locked(0)
        let core = try core { _ in errors.withLock { $0 += 1 } }
        let view = View()
        core.addHandler(resync: nil) { change in
            view.take(change)
            if change.node.name == "n1" { throw Refused() }
        }
        core.hub.replace(with: list(3), version: nil)
        change(core, "n2", version: 2, images: 1)
        try await eventually("all") { view.isEqual(core.hub) }
        #expect(errors.withLock { $0 } == 1)
    }

    /// A handler that never comes back costs a bounded queue, and its last word is the store's.
    @Test func `is bounded while a handler is blocked, and then knows what the store knows`()
        async throws
    {
        let core = try core(queueLimit: 100)
        core.hub.replace(with: list(2000), version: nil)
        let (blocked, free) = (View(), View())
        let gate = Locked(false)
        let slow = core.addHandler(resync: nil) { change in
            while !gate.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
            blocked.take(change)
        }
        let fast = core.addHandler(resync: nil) { free.take($0) }
        await fast.synced()
        for version in 2..<100_000 {
            change(core, "n\(version % 3000)", version: version, images: version % 7)
        }
        try await eventually("the free one's view") { free.isEqual(core.hub) }
        #expect(blocked.nodes.count <= 1)
        #expect(slow.waitingCount <= 100)
        gate.withLock { $0 = true }
        try await eventually("the blocked one's view") { blocked.isEqual(core.hub) }
        #expect(blocked.faults == [] && free.faults == [])
    }

    @Test func `tells every survivor of a thousand handlers the final state of every node`()
        async throws
    {
        let core = try core(queueLimit: 20)
        core.hub.replace(with: list(30), version: nil)
        typealias Survivors = [(view: View, handler: HandlerRegistration)]
        let kept = await withTaskGroup(of: Survivors.self) { group in
            group.addTask {
                for version in 2..<3000 {
                    let name = "n\(version % 40)"
                    if version % 11 == 0 {
                        core.hub.apply { transaction in
                            _ = transaction.apply { $0.delete(name) }
                        }
                    } else {
                        change(core, name, version: version, images: version % 3)
                    }
                    if version % 50 == 0 { await Task.yield() }
                }
                return []
            }
            for worker in 0..<4 {
                group.addTask {
                    var survivors: Survivors = []
                    for number in 0..<250 {
                        let view = View()
                        let handler = core.addHandler(resync: nil) { view.take($0) }
                        await Task.yield()
                        if (number + worker) % 3 == 0 {
                            survivors.append((view, handler))
                        } else {
                            handler.remove()
                        }
                    }
                    return survivors
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(kept.count > 300)
        for (view, handler) in kept {
            await handler.synced()
            try await eventually("the survivor's view") { view.isEqual(core.hub) }
            #expect(view.faults == [])
        }
    }

    @Test
    func
        `gets what is queued, then the end, when the informer stops; later ones get what is there`()
        async throws
    {
        let core = try core()
        core.hub.replace(with: list(300), version: nil)
        let early = View()
        let handler = core.addHandler(resync: nil) { early.take($0) }
        try await core.run {}
        await handler.ended()
        #expect(early.isEqual(core.hub))
        let late = View()
        await core.addHandler(resync: nil) { late.take($0) }.ended()
        #expect(late.isEqual(core.hub))
        await #expect(throws: (any Error).self) { try await core.run {} }
    }

    @Test func `are told of every node once, though they are added while the first list comes`()
        async throws
    {
        for _ in 0..<20 {
            let core = try core()
            let views = (0..<8).map { _ in View() }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { core.hub.replace(with: list(50), version: nil) }
                for view in views {
                    group.addTask { core.addHandler(resync: nil) { view.take($0) } }
                }
            }
            for view in views {
                try await eventually("the view") { view.isEqual(core.hub) }
                #expect(view.faults == [] && view.initial == 50)
            }
        }
    }

    @Test func `are each a handler of their own, though they are the same function`() async throws {
        let core = try core()
        let calls = Locked(0)
        let handler: @Sendable (NodeChange) async throws -> Void = { _ in calls.withLock { $0 += 1 }
        }
        let first = core.addHandler(resync: nil, handler)
        let second = core.addHandler(resync: nil, handler)
        core.hub.replace(with: list(3), version: nil)
        await first.synced()
        await second.synced()
        #expect(calls.withLock { $0 } == 6)
        first.remove()
        await first.ended()
        change(core, "n1", version: 2, images: 1)
        try await eventually("the second's call") { calls.withLock { $0 } == 7 }
    }

    @Test func `have synced though what was there first went before they were told of it`()
        async throws
    {
        let core = try core()
        core.hub.replace(with: list(5), version: nil)
        let view = View()
        let handler = core.addHandler(resync: nil) { view.take($0) }
        core.hub.apply { transaction in
            for number in 0..<5 { _ = transaction.apply { $0.delete("n\(number)") } }
        }
        #expect(await handler.synced())
        try await eventually("nothing") { view.nodes.isEmpty }
        #expect(view.faults == [])
    }

    @Test func `hear deletions first when a list takes the place of what there was`() async throws {
        let core = try core()
        core.hub.replace(with: list(3), version: nil)
        let lines = Locked<[String]>([])
        let handler = core.addHandler(resync: nil) { change in
            let line =
                switch change {
                case .added(let node, _): "added \(node.name)"
                case .updated(_, let node): "updated \(node.name)"
                case .deleted(let node): "deleted \(node.name)"
                }
            lines.withLock { $0.append(line) }
        }
        await handler.synced()
        lines.withLock { $0 = [] }
        var new = NodeTable()
        _ = new.apply(node("new", version: 9), seen: 0)
        _ = new.apply(node("n1", version: 9, images: [.init(names: ["i"], sizeBytes: 1)]), seen: 0)
        core.hub.replace(with: new, version: nil)
        try await eventually("all") { lines.withLock { $0.count } == 4 }
        #expect(lines.withLock { Set($0[..<2]) } == ["deleted n0", "deleted n2"])
        #expect(lines.withLock { Set($0[2...]) } == ["added new", "updated n1"])
    }

    @Test func `hear of no node that is gone, nor of an older state, from a resync`() async throws {
        let core = try core()
        core.hub.replace(with: list(3), version: nil)
        let view = View()
        let gate = Locked(true)
        let handler = core.addHandler(resync: nil) { change in
            while !gate.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
            view.take(change)
        }
        await handler.synced()
        for version in 2..<50 {
            gate.withLock { $0 = false }
            core.hub.resync(1)
            change(core, "n1", version: version, images: version % 4)
            core.hub.apply { transaction in _ = transaction.apply { $0.delete("n2") } }
            core.hub.resync(1)
            gate.withLock { $0 = true }
            try await eventually("the view") { view.isEqual(core.hub) }
            change(core, "n2", version: version + 100, images: 0)
            try await eventually("the view") { view.isEqual(core.hub) }
        }
        #expect(view.faults == [] && view.resyncs > 0)
    }

    @Test func `see a list that takes another's place whole or not at all in the store`()
        async throws
    {
        let core = try core()
        core.hub.replace(with: list(100, version: 1), version: .number(1))
        let reading = Task.detached {
            var faults = 0
            while !Task.isCancelled {
                let nodes = core.hub.table.objects
                if Set(nodes.map(\.resourceVersion)).count != 1 || nodes.count != 100 {
                    faults += 1
                }
            }
            return faults
        }
        for version in 2..<500 {
            core.hub.replace(with: list(100, version: version), version: nil)
            if version % 50 == 0 { await Task.yield() }
        }
        reading.cancel()
        #expect(await reading.value == 0)
    }

    @Test func `end, and keep nothing alive, when their informer is dropped without having run`()
        async throws
    {
        weak var seen: View?
        weak var hub: NodeHub?
        do {
            let view = View()
            let core = try core(resync: .seconds(1))
            (seen, hub) = (view, core.hub)
            core.addHandler(resync: nil) { view.take($0) }
        }
        try await eventually("the handler's end") { seen == nil }
        try await eventually("the resync's end") { hub == nil }
    }

    // MARK: Indexes and versions

    @Test func `finds nodes by index as the store has them, whenever the index was made`() throws {
        let core = try core()
        let count: @Sendable (NodeSummary) -> [String] = { node in ["\(node.imageCount)", "any"] }
        let early = ObjectIndex(core.hub, count)
        core.hub.replace(with: list(10), version: nil)
        #expect(early["0"].count == 10 && early["any"].count == 10)
        change(core, "n3", version: 2, images: 2)
        core.hub.apply { transaction in _ = transaction.apply { $0.delete("n4") } }
        change(core, "new", version: 3, images: 2)
        let late = ObjectIndex(core.hub, count)
        for index in [early, late] {
            #expect(Set(index["2"].map(\.name)) == ["n3", "new"])
            #expect(index["0"].count == 8 && index["any"].count == 10)
            #expect(Set(index.values) == ["0", "2", "any"])
        }
        core.hub.replace(with: list(2, version: 9), version: nil)
        #expect(early["0"].count == 2 && early["2"].isEmpty)
        #expect(Set(early.values) == ["0", "any"])
    }

    @Test func `waits for a version until it is there, and no longer than its task`() async throws {
        let core = try core()
        let waiting = Task { try await core.wait(untilAtLeast: "1000") }
        let cancelled = Task { try await core.wait(untilAtLeast: "9999") }
        core.hub.replace(with: list(1), version: .number(999))
        try await Task.sleep(for: .milliseconds(20))
        core.hub.apply { $0.advance(to: .number(1001)) }
        try await waiting.value
        try await core.wait(untilAtLeast: "1000")
        cancelled.cancel()
        await #expect(throws: (any Error).self) { try await cancelled.value }
        await #expect(throws: (any Error).self) { try await core.wait(untilAtLeast: "banana") }
        let stopped = Task { try await core.wait(untilAtLeast: "5000") }
        try await core.run {}
        await #expect(throws: (any Error).self) { try await stopped.value }
    }
}
