import NodeWatch
import Testing

/// A node with so many images, for tests.
func node(
    _ name: String, uid: String = "u-1", version: Int = 1, images: [ContainerImage]? = []
) -> NodeSummary {
    NodeSummary(
        NodeSummary.Contents(
            name: name, uid: uid, resourceVersion: "\(version)", images: images))
}

extension NodeTable.Outcome {
    var word: String {
        switch self {
        case .heartbeat: "heartbeat"
        case .outdated: "outdated"
        case .added: "added"
        case .updated: "updated"
        case .replaced: "replaced"
        case .deleted: "deleted"
        case .broken: "broken"
        case .unusable: "unusable"
        }
    }
}

@Suite("NodeTable")
struct NodeTableTests {
    private let image = ContainerImage(names: ["a:1"], sizeBytes: 10)

    @Test func `tells what an event did`() {
        var table = NodeTable()
        #expect(table.apply(node("n"), seen: 0).word == "added")
        #expect(table.apply(node("n", version: 2), seen: 1).word == "heartbeat")
        #expect(table["n"]?.resourceVersion == "2")
        #expect(table.apply(node("n", version: 3, images: [image]), seen: 1).word == "updated")
        #expect(table.apply(node("n", version: 2), seen: 1).word == "outdated")
        #expect(table.apply(node("n", uid: "u-2", version: 4), seen: 1).word == "replaced")
        #expect(table.delete("n").word == "deleted")
        #expect(table.delete("n").word == "outdated")
        #expect(table.count == 0)
    }

    @Test func `finds every node while others come and go`() {
        var table = NodeTable()
        var expected: Set<Int> = []
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let number = Int.random(in: 0..<300, using: &random)
            if Bool.random(using: &random) {
                _ = table.apply(node("n\(number)"), seen: 0)
                expected.insert(number)
            } else {
                _ = table.delete("n\(number)")
                expected.remove(number)
            }
        }
        #expect(table.count == expected.count)
        for number in 0..<300 {
            #expect((table["n\(number)"] != nil) == expected.contains(number))
        }
    }

    @Test func `keeps a snapshot as it was`() {
        var table = NodeTable()
        _ = table.apply(node("n", images: [image]), seen: 0)
        let snapshot = table
        _ = table.apply(node("n", version: 2, images: []), seen: 0)
        #expect(snapshot["n"]?.imageBytes == 10)
        #expect(table["n"]?.imageBytes == 0)
    }

    @Test func `gives back every part of a summary`() {
        var contents = NodeSummary.Contents(
            name: "n", uid: "1b4e28ba-2fa1-11d2-883f-0016d3cca427", resourceVersion: "77",
            images: [image, image])
        contents.creationTimestamp = "2026-01-02T03:04:05Z"
        contents.pool = "gpu"
        contents.zone = "eu-1a"
        contents.instanceType = "m5.large"
        contents.architecture = "amd64"
        contents.isUnschedulable = true
        contents.capacityBytes = 100
        contents.allocatableBytes = 90
        contents.ready = .isTrue
        contents.diskPressure = .isFalse
        contents.containerRuntimeVersion = "cri-o://1.30"
        contents.kubeletVersion = "v1.36.2"
        contents.bootID = "not-a-uuid"
        #expect(NodeSummary(contents).contents == contents)
        #expect(NodeSummary(contents).basis == .reportedUncompressed)
        let bare = NodeSummary.Contents(name: "m", resourceVersion: "opaque")
        #expect(NodeSummary(bare).contents == bare)
    }
}

@Suite("ResourceVersion")
struct ResourceVersionTests {
    private func isOlder(_ left: String, _ right: String) -> Bool? {
        ResourceVersion(left)!.isOlder(than: ResourceVersion(right)!)
    }

    @Test func `compares decimals of any length, and nothing else`() {
        #expect(isOlder("9", "10") == true)
        #expect(isOlder("10", "9") == false)
        #expect(isOlder("18446744073709551616", "18446744073709551617") == true)
        #expect(isOlder("5", "18446744073709551617") == true)
        #expect(isOlder("a", "5") == nil)
        #expect(isOlder("05", "6") == nil)
        #expect(ResourceVersion("") == nil)
        #expect(ResourceVersion("18446744073709551617")?.string == "18446744073709551617")
    }
}
