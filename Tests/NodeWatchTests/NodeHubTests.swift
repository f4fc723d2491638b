import NodeWatch
import Testing

/// What a reader makes of the changes it is told, and whether they make sense one after another.
private struct Reader {
    var nodes: [String: NodeSummary] = [:]
    var told = 0

    mutating func take(_ changes: [NodeChange]) {
        for change in changes {
            told += 1
            switch change {
            case .added(let node, _):
                #expect(nodes[node.name] == nil, "added twice: \(node)")
                nodes[node.name] = node
            case .updated(let old, let new):
                #expect(nodes[new.name]?.hasSameContent(as: old) == true, "not its last: \(old)")
                #expect(!old.hasSameContent(as: new) && old.isSameObject(as: new))
                nodes[new.name] = new
            case .deleted(let node):
                #expect(nodes.removeValue(forKey: node.name) != nil, "not there: \(node)")
            }
        }
    }

    func expectEqual(_ table: NodeTable) {
        #expect(nodes.count == table.count)
        for entry in table.entries {
            #expect(nodes[entry.summary.name]?.hasSameContent(as: entry.summary) == true)
        }
    }
}

/// The same numbers in every run.
private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 33)
    }
}

@Suite("NodeHub")
struct NodeHubTests {
    private func image(_ number: Int) -> ContainerImage {
        ContainerImage(names: ["r/i\(number):1"], sizeBytes: number)
    }

    /// Something that happens to one of twenty nodes.
    private func happen(_ hub: NodeHub, _ version: Int, _ random: inout Numbers) {
        let name = "n\(Int.random(in: 0..<20, using: &random))"
        let choice = Int.random(in: 0..<10, using: &random)
        let uid = "u-\(Int.random(in: 0..<2, using: &random))"
        let images = (0..<Int.random(in: 0..<3, using: &random)).map(image)
        hub.apply { transaction in
            _ = transaction.apply { table in
                choice < 3
                    ? table.delete(name)
                    : table.apply(node(name, uid: uid, version: version, images: images), seen: 0)
            }
        }
    }

    @Test(
        arguments: [(1, true), (3, true), (1000, true), (1, false), (9, false), (10_000, false)],
        [UInt64(1), 2, 3, 4, 5])
    func `tells readers of any speed what leads to the store's state`(
        queue: (limit: Int, merges: Bool), seed: UInt64
    ) {
        let hub = NodeHub()
        var random = Numbers(state: seed)
        var readers = (0..<3).map { _ in
            (id: hub.subscribe(queueLimit: queue.limit, merges: queue.merges).id, Reader())
        }
        hub.replace(with: NodeTable(), version: nil)
        for reader in readers { #expect(hub.next(reader.id).isEmpty) }
        for version in 1...3000 {
            happen(hub, version, &random)
            if version % 500 == 0 {
                // A new list in the table's place, with some nodes gone and others changed.
                var list = NodeTable()
                for entry in hub.table.entries where Int.random(in: 0..<4, using: &random) > 0 {
                    list.adopt(entry)
                }
                _ = list.apply(node("n0", uid: "u-9", version: version), seen: 0)
                hub.replace(with: list, version: ResourceVersion("\(version)"))
            }
            // The first reads at once, the second now and then, the third hardly ever.
            for (index, often) in [1, 7, 400].enumerated() where version % often == 0 {
                readers[index].1.take(hub.next(readers[index].id))
            }
        }
        for index in readers.indices {
            while true {
                let changes = hub.next(readers[index].id)
                if changes.isEmpty { break }
                readers[index].1.take(changes)
            }
            readers[index].1.expectEqual(hub.table)
        }
        let told = readers.map(\.1.told)
        if !queue.merges, queue.limit == 10_000 {
            #expect(Set(told).count == 1)
        } else {
            // Who reads late is told less, not more.
            #expect(told[2] < told[0])
        }
    }

    @Test func `merges what a reader has not seen`() {
        let hub = NodeHub()
        var list = NodeTable()
        _ = list.apply(node("a", images: []), seen: 0)
        hub.replace(with: list, version: nil)
        let (id, _) = hub.subscribe(queueLimit: 10)
        guard case .added(_, isInInitialList: true)? = hub.next(id).first else {
            Issue.record("not told of the node that was there")
            return
        }
        func apply(_ change: (inout NodeTable) -> NodeTable.Outcome) {
            hub.apply { transaction in _ = transaction.apply(change) }
        }
        // Added and deleted: nothing.
        apply { $0.apply(node("b"), seen: 0) }
        apply { $0.delete("b") }
        // Two updates: one.
        apply { $0.apply(node("a", version: 2, images: [image(1)]), seen: 0) }
        apply { $0.apply(node("a", version: 3, images: [image(1), image(2)]), seen: 0) }
        let merged = hub.next(id)
        #expect(merged.count == 1)
        if case .updated(let old, let new)? = merged.first {
            #expect(old.imageCount == 0 && new.imageCount == 2)
        }
        // There and back: nothing.
        apply { $0.apply(node("a", version: 4, images: [image(1)]), seen: 0) }
        apply { $0.apply(node("a", version: 5, images: [image(1), image(2)]), seen: 0) }
        #expect(hub.next(id).isEmpty)
        // Deleted and made again under another uid: both.
        apply { $0.delete("a") }
        apply { $0.apply(node("a", uid: "u-2", version: 7), seen: 0) }
        let replaced = hub.next(id)
        #expect(replaced.count == 2)
        if case .deleted(let gone)? = replaced.first { #expect(gone.uid == "u-1") }
        if case .added(let new, isInInitialList: false)? = replaced.last {
            #expect(new.uid == "u-2")
        }
    }
}
