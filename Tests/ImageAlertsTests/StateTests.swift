import Foundation
import ImageAlerts
import KubeClient
import NodeWatch
import Synchronization
import Testing

/// A process after another with the same state: an engine, and what it tells.
private final class Lives {
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())").path
    private let rules: [Rule]
    private var state: AlertState?
    private var delivery: AlertDelivery?
    private var engine: AlertEngine
    var now = start
    let events = Events()

    final class Events: Sendable {
        private let texts = Mutex<[String]>([])
        var all: [String] { texts.withLock { $0 } }
        func add(_ text: String) { texts.withLock { $0.append(text) } }
    }

    init(_ rules: [Rule] = [.storageChanged]) throws {
        self.rules = rules
        engine = AlertEngine(cluster: "c", rules: rules)
        try begin()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Another process takes over, as after a kill.
    func begin(cluster: String = "c") throws {
        state = nil
        delivery = nil
        engine = AlertEngine(cluster: "c", rules: rules)
        let kept = try AlertState(folder: folder, cluster: cluster) { [events] event in
            events.add("\(event)")
        }
        try kept.restore(&engine)
        state = kept
        delivery = try AlertDelivery(
            RuleFile(rules: rules), state: kept, client: nil, userAgent: "test"
        ) { _ in }
    }

    private func told(_ alerts: [Alert]) -> [String] {
        delivery!.deliver(alerts, from: &engine, at: now).map {
            ($0.status == .resolved ? "resolved " : "") + $0.summary
        }
    }

    func observe(_ change: NodeChange) -> [String] { told(engine.observe(change, at: now)) }

    func wait(_ seconds: TimeInterval) -> [String] {
        now += seconds
        return told(engine.advance(to: now))
    }

    func listed() -> [String] { told(engine.markListed(at: now)) }

    func beat() { state?.beat(at: now) }
}

private func node(
    _ version: Int, _ images: [ContainerImage]?, _ pressure: NodeCondition = .isFalse,
    boot: String = "b", created: Date? = nil
) -> NodeSummary {
    var contents = NodeSummary.Contents(
        name: "n", uid: "u", resourceVersion: "\(version)", images: images)
    contents.diskPressure = pressure
    contents.bootID = boot
    contents.creationTimestamp = created.map { Date.ISO8601FormatStyle().format($0) }
    return NodeSummary(contents)
}

@Suite("State")
struct StateTests {
    private let a = image(100 << 20, "r/a@sha256:aa", "r/a:1")
    private let b = image(50 << 20, "r/b@sha256:bb", "r/b:1")
    private let c = image(70 << 20, "r/c@sha256:cc", "r/c:1")

    @Test func `a change that was told is not told again by who reads the stream anew`() throws {
        let lives = try Lives()
        let states = [node(1, [a]), node(2, [a, b]), node(3, [a, b, c])]
        _ = lives.observe(.added(states[0], isInInitialList: true))
        #expect(lives.observe(.updated(old: states[0], new: states[1])).count == 1)
        #expect(lives.observe(.updated(old: states[1], new: states[2])).count == 1)
        lives.beat()

        // From an older checkpoint: the stream repeats all that happened since.
        try lives.begin()
        lives.now += 60
        #expect(lives.observe(.added(states[0], isInInitialList: true)) == [])
        #expect(lives.observe(.updated(old: states[0], new: states[1])) == [])
        #expect(lives.observe(.updated(old: states[1], new: states[2])) == [])
        let told = lives.observe(.updated(old: states[2], new: node(4, [a])))
        #expect(told.count == 1 && told[0].contains("gc 2 images removed"))
        #expect(
            told[0].contains(
                ", between \(Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(start))"
            ))
    }

    @Test func `what changed while nobody was there is told against what was told last`() throws {
        let lives = try Lives()
        _ = lives.observe(.added(node(1, [a]), isInInitialList: true))
        #expect(lives.observe(.updated(old: node(1, [a]), new: node(2, [a, b]))).count == 1)
        // A new list, without a history in between.
        try lives.begin()
        let told = lives.observe(.added(node(9, [a, c]), isInInitialList: true))
        #expect(told.count == 1 && told[0].contains("r/b:1") || told[0].contains("r/c:1"))
        try lives.begin()
        #expect(lives.observe(.added(node(10, [a, c]), isInInitialList: true)) == [])
    }

    @Test
    func `a server that went back to a backup meanwhile is believed, once the stream is there`()
        throws
    {
        let lives = try Lives()
        _ = lives.observe(.added(node(1, [a]), isInInitialList: true))
        #expect(lives.observe(.updated(old: node(1, [a]), new: node(50, [a, b]))).count == 1)
        try lives.begin()
        // Older than what was told: a stream on its way, as far as anybody knows.
        #expect(lives.observe(.added(node(1, [a]), isInInitialList: true)) == [])
        #expect(lives.observe(.updated(old: node(1, [a]), new: node(2, [a, c]))) == [])
        let told = lives.listed()
        #expect(told.count == 1 && told[0].contains("r/c:1"))
        #expect(lives.observe(.updated(old: node(2, [a, c]), new: node(3, [a, c]))) == [])
    }

    @Test
    func `what a stream tells anew on its way does not take the place of what was told last`()
        throws
    {
        for past in [[node(5, nil), node(10, [a])], [node(10, [a, c]), node(11, nil)]] {
            let lives = try Lives()
            _ = lives.observe(.added(node(19, [a]), isInInitialList: true))
            #expect(lives.observe(.updated(old: node(19, [a]), new: node(20, [a, b]))).count == 1)
            // From a checkpoint of before, and killed again on the way.
            try lives.begin()
            #expect(lives.observe(.added(past[0], isInInitialList: false)) == [])
            #expect(lives.observe(.updated(old: past[0], new: past[1])) == [])
            try lives.begin()
            let told = lives.observe(.added(node(21, [a]), isInInitialList: true))
            #expect(told.count == 1 && told[0].contains("r/b:1"))
        }
    }

    @Test func `an end that a stream tells anew is that of an earlier node`() throws {
        func second(_ version: Int, _ images: [ContainerImage]) -> NodeSummary {
            NodeSummary(
                .init(name: "n", uid: "v", resourceVersion: "\(version)", images: images))
        }
        let lives = try Lives()
        _ = lives.observe(.added(second(10, [a]), isInInitialList: false))
        #expect(lives.observe(.updated(old: second(10, [a]), new: second(11, [b]))).count == 1)
        for _ in 1...2 {
            try lives.begin()
            #expect(lives.observe(.added(node(5, [c]), isInInitialList: true)) == [])
            #expect(lives.observe(.deleted(node(6, [c]))) == [])
        }
        #expect(lives.observe(.added(second(12, [a]), isInInitialList: false)).count == 1)
    }

    @Test func `a node that came, and a list that came, are known after a restart`() throws {
        let lives = try Lives()
        // In no checkpoint yet.
        #expect(lives.observe(.added(node(1, [a]), isInInitialList: false)) == [])
        try lives.begin()
        #expect(lives.observe(.added(node(2, [a, b]), isInInitialList: false)).count == 1)
        let other = try Lives()
        _ = other.observe(.added(node(1, nil), isInInitialList: true))
        #expect(other.observe(.updated(old: node(1, nil), new: node(2, [a]))) == [])
        try other.begin()
        #expect(other.observe(.added(node(1, nil), isInInitialList: true)) == [])
        #expect(other.observe(.updated(old: node(1, nil), new: node(3, [a, b]))).count == 1)
    }

    @Test func `a list that was lost before is compared when it is back after`() throws {
        let lives = try Lives()
        _ = lives.observe(.added(node(1, [a, b]), isInInitialList: true))
        #expect(lives.observe(.updated(old: node(1, [a, b]), new: node(2, nil))) == [])
        try lives.begin()
        #expect(lives.observe(.added(node(2, nil), isInInitialList: true)) == [])
        let told = lives.observe(.updated(old: node(2, nil), new: node(3, [a])))
        #expect(told.count == 1 && told[0].contains("r/b:1 (50.0 MiB) removed"))
    }

    @Test func `what a new node pulled while it warmed up is no change after a restart either`()
        throws
    {
        let states = [node(1, [a], created: start), node(2, [a, b], created: start)]
        // Restarted long after, while it warms up, and when it would just have been warm.
        for (first, second) in [(600.0, 0.0), (60, 0), (60, 90)] {
            let lives = try Lives()
            _ = lives.observe(.added(states[0], isInInitialList: false))
            if first > 120 { _ = lives.observe(.updated(old: states[0], new: states[1])) }
            _ = lives.wait(first)
            lives.beat()
            lives.now += second
            try lives.begin()
            let seen = states[first > 120 ? 1 : 0]
            #expect(lives.observe(.added(seen, isInInitialList: true)) == [])
            if first < 120 {
                #expect(lives.observe(.updated(old: seen, new: states[1])) == [])
            }
            #expect(lives.wait(200) == [])
            let later = node(3, [a, b, c], created: start)
            #expect(lives.observe(.updated(old: states[1], new: later)).count == 1)
        }
    }

    @Test func `what changed over a reboot is told after a restart, and a reboot counts once`()
        throws
    {
        let lives = try Lives()
        let states = [node(1, [a]), node(2, nil, boot: "c"), node(3, [a, b], boot: "c")]
        _ = lives.observe(.added(states[0], isInInitialList: true))
        _ = lives.observe(.updated(old: states[0], new: states[1]))
        _ = lives.observe(.updated(old: states[1], new: states[2]))
        try lives.begin()
        #expect(lives.observe(.added(states[2], isInInitialList: true)) == [])
        let told = lives.wait(130)
        #expect(told.count == 1 && told[0].contains("r/b:1"))

        // Nothing had changed over this one: after a restart it is no news.
        let again = [node(4, nil, boot: "d"), node(5, [a, b], boot: "d")]
        _ = lives.observe(.updated(old: states[2], new: again[0]))
        _ = lives.observe(.updated(old: again[0], new: again[1]))
        #expect(lives.wait(130) == [])
        try lives.begin()
        #expect(
            lives.observe(.added(node(6, [a, b, c], boot: "d"), isInInitialList: true)).count == 1)
    }

    @Test func `what lasts goes on through a restart, and has one end`() throws {
        var rule = Rule("pressure", .diskPressure)
        rule.hold = .seconds(120)
        let lives = try Lives([rule])
        #expect(lives.observe(.added(node(1, [a], .isTrue), isInInitialList: true)) == [])
        _ = lives.wait(60)
        // Pending; the minute before counts.
        try lives.begin()
        #expect(lives.observe(.added(node(1, [a], .isTrue), isInInitialList: true)) == [])
        #expect(lives.wait(60).count == 1)
        // Firing: not told again.
        try lives.begin()
        #expect(lives.observe(.added(node(1, [a], .isTrue), isInInitialList: true)) == [])
        #expect(lives.wait(600) == [])
        // Over meanwhile.
        try lives.begin()
        let end = lives.observe(.added(node(5, [a]), isInInitialList: true))
        #expect(end.count == 1 && end[0].hasPrefix("resolved "))
        try lives.begin()
        #expect(lives.observe(.added(node(5, [a]), isInInitialList: true)) == [])
    }

    @Test func `what lasts is not over because a stream tells anew what was before it`() throws {
        let lives = try Lives([Rule("pressure", .diskPressure)])
        let states = [node(1, [a]), node(2, [a], .isTrue), node(3, [a])]
        _ = lives.observe(.added(states[0], isInInitialList: true))
        #expect(lives.observe(.updated(old: states[0], new: states[1])).count == 1)
        try lives.begin()
        #expect(lives.observe(.added(states[0], isInInitialList: true)) == [])
        #expect(lives.observe(.updated(old: states[0], new: states[1])) == [])
        #expect(lives.listed() == [])
        let end = lives.observe(.updated(old: states[1], new: states[2]))
        #expect(end.count == 1 && end[0].hasPrefix("resolved "))

        // A server that went back to before it, for good.
        #expect(lives.observe(.updated(old: states[2], new: node(4, [a], .isTrue))).count == 1)
        try lives.begin()
        #expect(lives.observe(.added(states[0], isInInitialList: true)) == [])
        #expect(lives.listed().count == 1)
    }

    @Test func `what lasts of a node that is gone after a restart is over`() throws {
        let lives = try Lives([Rule("pressure", .diskPressure)])
        #expect(lives.observe(.added(node(1, [a], .isTrue), isInInitialList: true)).count == 1)
        try lives.begin()
        let told = lives.listed()
        #expect(told.count == 1 && told[0].contains("the node is gone"))
        #expect(lives.listed() == [])
    }

    @Test func `that of another cluster is set aside, and nobody shares one`() throws {
        let lives = try Lives()
        _ = lives.observe(.added(node(1, [a]), isInInitialList: true))
        try lives.begin(cluster: "other")
        #expect(lives.events.all.count == 1)
        #expect(lives.events.all[0].contains("of another cluster (c)"))
        #expect(throws: KubeError.self) {
            // Somebody has it.
            try AlertState(folder: lives.folder, cluster: "other") { _ in }
        }
    }
}
