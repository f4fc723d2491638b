import Foundation
import ImageAlerts
import NodeWatch
import Testing

/// Alerts of an engine: `count` nodes pull an image each, a second apart.
private func pulls(_ count: Int, image name: String = "shop/cart:v2") -> [Alert] {
    var engine = AlertEngine(cluster: "c", rules: [.storageChanged])
    return (0..<count).flatMap { number -> [Alert] in
        func node(_ version: Int, _ images: [ContainerImage]) -> NodeSummary {
            NodeSummary(
                .init(
                    name: "n\(number)", uid: "u\(number)", resourceVersion: "\(version)",
                    images: images))
        }
        let base = image(1_000_000, "r/base:1")
        return engine.observe(
            .updated(
                old: node(1, [base]), new: node(2, [image(412_000_000, name), base])),
            at: start + TimeInterval(number))
    }
}

@Suite("Notifications")
struct NotificationTests {
    @Test func `of a rollout over 2,000 nodes in five minutes are a handful`() {
        var grouper = Grouper()
        var notifications: [ImageAlerts.Notification] = []
        for (number, alert) in pulls(2000).enumerated() {
            let time = start + Double(number) * 0.15
            notifications += grouper.take(time)
            grouper.add(alert, at: time)
        }
        notifications += grouper.take(start + 1000)
        #expect((2...4).contains(notifications.count))
        #expect(notifications.reduce(0) { $0 + $1.nodeCount } == 2000)
        #expect(
            notifications.allSatisfy {
                $0.summary.hasPrefix("image shop/cart:v2 on ")
                    && $0.summary.contains("+393 MiB each, +")
            }, "\(notifications.map(\.summary))")
        // Nothing comes for an interval: the next one waits briefly again.
        #expect(grouper.take(start + 2000).isEmpty && grouper.nextDue == nil)
    }

    @Test func `have the same id for the same alerts, and of one alert its own`() {
        let alerts = pulls(3)
        func take(_ alerts: [Alert]) -> [ImageAlerts.Notification] {
            var grouper = Grouper()
            alerts.forEach { grouper.add($0, at: start) }
            return grouper.take(start + 30)
        }
        #expect(take(alerts)[0].id == take(alerts.reversed())[0].id)
        #expect(take([alerts[0]])[0].id == alerts[0].id)
        #expect(take(alerts)[0].id != take(Array(alerts.dropLast()))[0].id)
    }

    @Test func `keep a node's order: what came before goes first, though its time has not come`() {
        var grouper = Grouper()
        let first = pulls(2, image: "a:1")
        let second = pulls(2, image: "b:1")
        grouper.add(first[0], at: start)
        #expect(grouper.take(start + 30).count == 1)
        // The group of a:1 waits for five minutes now; b:1 comes later, and waits for half a minute.
        grouper.add(first[1], at: start + 40)
        grouper.add(second[1], at: start + 50)
        let told = grouper.take(start + 80)
        #expect(told.map(\.first.added[0].name) == ["a:1", "b:1"])
    }
}

@Suite("Silences")
struct SilenceTests {
    /// What an engine says of a node under disk pressure from 0 to 100 s, and a change.
    private func silencer(_ change: (inout Silence) -> Void) -> Silencer {
        var silence = Silence(until: start + 50)
        change(&silence)
        return Silencer([silence])
    }

    private var pressure: (begin: Alert, end: Alert) {
        var engine = AlertEngine(
            cluster: "c", rules: [Rule("pressure", .diskPressure, severity: .critical)])
        func node(_ version: Int, _ condition: NodeCondition) -> NodeSummary {
            var contents = NodeSummary.Contents(
                name: "ci-1", uid: "u", resourceVersion: "\(version)", images: [])
            contents.diskPressure = condition
            return NodeSummary(contents)
        }
        let begin = engine.observe(
            .added(node(1, .isTrue), isInInitialList: true), at: start)[0]
        let end = engine.observe(
            .updated(old: node(1, .isTrue), new: node(2, .isFalse)), at: start + 100)[0]
        return (begin, end)
    }

    @Test func `keep back what they mean, until their time`() {
        var ours = silencer { $0.rules = [Glob("image-*")] }
        #expect(ours.pass(pulls(1), at: start).isEmpty)
        #expect(ours.pass(pulls(1), at: start + 50).count == 1)
        #expect(ours.silenced == 1)
        var other = silencer { $0.nodes = [Glob("x*")] }
        #expect(other.pass(pulls(1), at: start).count == 1)
        var severe = silencer { $0.severities = [.critical] }
        #expect(severe.pass(pulls(1), at: start).count == 1)
        var later = silencer { $0.from = start + 10 }
        #expect(later.pass(pulls(1), at: start).count == 1)
        #expect(later.pass(pulls(1), at: start + 10).isEmpty)
    }

    @Test func `that end before what lasts let it be told then, and its end too`() {
        var silencer = silencer { $0.nodes = [Glob("ci-*")] }
        #expect(silencer.pass([pressure.begin], at: start).isEmpty)
        #expect(silencer.advance(to: start + 49).isEmpty)
        #expect(silencer.advance(to: start + 50).map(\.id) == [pressure.begin.id])
        #expect(silencer.advance(to: start + 51).isEmpty)
        #expect(silencer.pass([pressure.end], at: start + 100).map(\.id) == [pressure.end.id])
    }

    @Test func `that outlast it let neither be told; one that was told is ended all the same`() {
        var long = silencer { $0.until = start + 1000 }
        #expect(long.pass([pressure.begin], at: start).isEmpty)
        #expect(long.pass([pressure.end], at: start + 100).isEmpty)
        #expect(long.advance(to: start + 2000).isEmpty)
        var late = silencer {
            $0.from = start + 10
            $0.until = start + 1000
        }
        #expect(late.pass([pressure.begin], at: start).count == 1)
        #expect(late.pass([pressure.end], at: start + 100).count == 1)
    }

    @Test func `alerts that begin and end share a fingerprint, and have ids of their own`() {
        #expect(pressure.begin.fingerprint == pressure.end.fingerprint)
        #expect(pressure.begin.id != pressure.end.id)
        #expect(pressure.begin.id == pressure.begin.id)
        #expect(pressure.end.startsAt == pressure.begin.startsAt)
    }
}
