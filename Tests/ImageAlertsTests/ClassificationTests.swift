import Foundation
import ImageAlerts
import NodeWatch
import Testing

/// One node as it lives: what it says, and what a detector makes of it.
private struct NodeLife {
    private(set) var contents: NodeSummary.Contents
    private var detector: ImageChangeDetector
    private var version = 1
    private(set) var now = start

    init(
        _ images: [ContainerImage]?, created: Date? = nil,
        options: ImageChangeDetector.Options = .init()
    ) {
        contents = NodeSummary.Contents(name: "n", uid: "u", images: images)
        contents.bootID = "b1"
        contents.creationTimestamp = created.map { Date.ISO8601FormatStyle().format($0) }
        detector = ImageChangeDetector(options)
        _ = detector.observe(.added(NodeSummary(contents), isInInitialList: true), at: now)
    }

    /// What is told after so many seconds, in a few words.
    mutating func wait(_ seconds: TimeInterval) -> [String] {
        now += seconds
        return detector.advance(to: now).map(words)
    }

    /// What is told when the node says something new.
    mutating func say(_ change: (inout NodeSummary.Contents) -> Void) -> String {
        let old = NodeSummary(contents)
        change(&contents)
        version += 1
        contents.resourceVersion = "\(version)"
        return words(detector.observe(.updated(old: old, new: NodeSummary(contents)), at: now))
    }

    mutating func replace(_ images: [ContainerImage]?) {
        _ = detector.observe(.deleted(NodeSummary(contents)), at: now)
        contents.uid += "u"
        contents.images = images
        contents.creationTimestamp = Date.ISO8601FormatStyle().format(now)
        _ = detector.observe(.added(NodeSummary(contents), isInInitialList: false), at: now)
    }
}

@Suite("What seems to have happened")
struct ClassificationTests {
    private let a = image(100, "r/a@sha256:aa", "r/a:1")
    private let b = image(50, "r/b@sha256:bb", "r/b:1")
    private let c = image(70, "r/c@sha256:cc", "r/c:1")

    @Test func `a list that is lost for a minute is told once, and compared when it is back`() {
        var node = NodeLife([a, b])
        #expect(node.say { $0.images = nil } == "none")
        #expect(node.wait(59) == [])
        #expect(node.wait(1) == ["list-lost"])
        #expect(node.wait(3600) == [])
        #expect(node.say { $0.images = [a, b] } == "none")
        #expect(node.say { $0.images = [] } == "none")
        #expect(node.wait(61) == ["list-lost"])
        #expect(node.say { $0.images = [a, c] } == "+r/c:1 -r/b:1 pull")
    }

    @Test func `a list that comes back in time was never lost`() {
        var node = NodeLife([a, b])
        #expect(node.say { $0.images = nil } == "none")
        #expect(node.wait(30) == [])
        #expect(node.say { $0.images = [a, b] } == "none")
        #expect(node.wait(3600) == [])
    }

    @Test func `a new node warms up, and what it has then is its first state`() {
        var node = NodeLife(nil, created: start - 20)
        #expect(node.say { $0.images = [a] } == "none")
        #expect(node.say { $0.images = [a, b] } == "none")
        #expect(node.wait(99) == [])
        #expect(node.say { $0.images = [a, b, c] } == "none")
        #expect(node.wait(1) == [])
        #expect(node.say { $0.images = [a, b] } == "-r/c:1 gc")
    }

    @Test func `an old node does not, nor a new one where nobody wants to wait`() {
        var old = NodeLife([a], created: start - 121)
        #expect(old.say { $0.images = [a, b] } == "+r/b:1 pull")
        var options = ImageChangeDetector.Options()
        options.warmUp = .zero
        var eager = NodeLife([a], created: start, options: options)
        #expect(eager.say { $0.images = [a, b] } == "+r/b:1 pull")
        #expect(
            eager.say {
                $0.bootID = "b2"; $0.images = [a]
            } == "-r/b:1 gc")
    }

    @Test func `a server whose clock is ahead makes nobody wait longer`() {
        var node = NodeLife([a], created: start + 86400)
        #expect(node.wait(120) == [])
        #expect(node.say { $0.images = [a, b] } == "+r/b:1 pull")
    }

    @Test func `after a reboot the set is compared once the node has settled`() {
        var node = NodeLife([a, b])
        #expect(
            node.say {
                $0.bootID = "b2"; $0.images = nil
            } == "none")
        #expect(node.wait(10) == [])
        #expect(node.say { $0.images = [c] } == "none")
        #expect(node.say { $0.images = [a, c] } == "none")
        #expect(node.wait(110) == ["+r/c:1 -r/b:1 rebooted"])
        #expect(node.say { $0.images = [a] } == "-r/c:1 gc")
    }

    @Test
    func `a reboot that changes nothing is none, and one that loses the list is told as that`() {
        var node = NodeLife([a, b])
        #expect(
            node.say {
                $0.bootID = "b2"; $0.images = nil
            } == "none")
        #expect(node.say { $0.images = [a, b] } == "none")
        #expect(node.wait(120) == [])
        #expect(
            node.say {
                $0.bootID = "b3"; $0.images = nil
            } == "none")
        #expect(node.wait(120) == ["list-lost"])
        #expect(node.say { $0.images = [a] } == "-r/b:1 gc")
    }

    @Test func `a change just before a reboot is told with it`() {
        var node = NodeLife([a, b])
        #expect(node.say { $0.images = nil } == "none")
        #expect(node.wait(30) == [])
        #expect(
            node.say {
                $0.bootID = "b2"; $0.images = [a]
            } == "none")
        #expect(node.wait(120) == ["-r/b:1 rebooted"])
    }

    @Test func `another node under the same name is told as that, when it has warmed up`() {
        var node = NodeLife([a, b])
        node.replace(nil)
        #expect(node.say { $0.images = [a] } == "none")
        #expect(node.wait(119) == [])
        #expect(node.wait(1) == ["-r/b:1 node-recreated"])
        #expect(node.say { $0.images = [a, c] } == "+r/c:1 pull")
    }

    @Test func `what goes under disk pressure was reclaimed`() {
        var node = NodeLife([a, b, c])
        #expect(node.say { $0.diskPressure = .isTrue } == "none")
        #expect(node.say { $0.images = [a] } == "-r/c:1 -r/b:1 eviction-reclaim")
        #expect(node.say { $0.images = [a, b] } == "+r/b:1 pull")
        #expect(
            node.say {
                $0.diskPressure = .isFalse; $0.images = [a]
            } == "-r/b:1 eviction-reclaim")
        #expect(node.say { $0.images = [a, b] } == "+r/b:1 pull")
        #expect(node.say { $0.images = [a] } == "-r/b:1 gc")
    }

    @Test func `a node with 50 of 50 images from birth: only what is sure is a change`() {
        let born = (1...50).map { image(1000 + $0, "mcr/i@sha256:\($0)", "mcr/i\($0):1") }
        var node = NodeLife(born, created: start - 86400)
        let small = image(1001, "mcr/s@sha256:s", "mcr/s:1")
        #expect(
            node.say { $0.images = Array(born.dropFirst()) + [small] }
                == "+mcr/s:1 -mcr/i1:1 truncation-shift")
        let large = image(9000, "mcr/l@sha256:l", "mcr/l:1")
        #expect(
            node.say { $0.images = [large] + born.dropFirst() } == "+mcr/l:1 pull")
        // The collector takes it, and one that was hidden comes into view.
        #expect(node.say { $0.images = born } == "-mcr/l:1 gc")
    }

    @Test func `the version is that at which the set was first seen`() {
        var detector = ImageChangeDetector()
        func node(_ version: Int, _ boot: String, _ images: [ContainerImage]) -> NodeSummary {
            var contents = NodeSummary.Contents(
                name: "n", uid: "u", resourceVersion: "\(version)", images: images)
            contents.bootID = boot
            return NodeSummary(contents)
        }
        let states = [
            node(1, "b1", [a]), node(2, "b2", [a]), node(3, "b2", [a, b]), node(4, "b2", [a, b]),
        ]
        for (old, new) in zip(states, states.dropFirst()) {
            #expect(detector.observe(.updated(old: old, new: new), at: start) == nil)
        }
        let change = detector.advance(to: start + 120).first
        #expect(change?.resourceVersion == "3")
        #expect(change?.current.resourceVersion == "4")
    }
}
