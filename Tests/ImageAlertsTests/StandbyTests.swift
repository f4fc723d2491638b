import Foundation
import ImageAlerts
import KubeClient
import NodeWatch
import Synchronization
import Testing

/// Closed queues: what one of several keeps to itself while another leads.
@Suite("Standing by")
struct StandbyTests {
    private let first = node([image(10, "a:1")], version: 5)

    private func delivery(
        until: @escaping @Sendable () -> ContinuousClock.Instant? = { nil }
    ) throws -> AlertDelivery {
        let sink = """
            rules: [{name: changed, type: storage-changed}]
            sinks: [{name: hook, type: webhook, url: "http://127.0.0.1:9/"}]
            """
        return try AlertDelivery(
            RuleFile(Array(sink.utf8), name: "rules"), right: SendingRight(until: until),
            client: nil, userAgent: "test"
        ) { _ in }
    }

    /// Alerts of changes at these resourceVersions.
    private func alerts(_ versions: Int..., engine: inout AlertEngine) -> [Alert] {
        _ = engine.observe(.added(first, isInInitialList: true), at: start)
        var last = first
        return versions.flatMap { version in
            let next = node(
                [image(10, "a:1"), image(20, "b:\(version)")], version: version)
            defer { last = next }
            return engine.observe(.updated(old: last, new: next), at: start)
        }
    }

    private func version(_ number: UInt64) -> ResourceVersion { .number(number) }

    @Test func `keeps alerts until all up to them has been told, and tells the rest`() throws {
        let delivery = try delivery()
        var engine = AlertEngine(cluster: "c")
        let all = alerts(7, 9, engine: &engine)
        try #require(all.count == 2)
        for (alert, position) in zip(all, [7, 9]) {
            let told = delivery.deliver(
                [alert], from: &engine, at: start, position: version(UInt64(position)),
                isOfTime: false)
            #expect(told.isEmpty)
        }
        #expect(delivery.unsent == Set(all.map(\.id)))
        delivery.forgetTold(upTo: version(6), progress: version(9))
        #expect(delivery.unsent.count == 2)
        delivery.forgetTold(upTo: version(8), progress: version(9))
        #expect(delivery.unsent == [all[1].id])
        #expect(delivery.lead([], at: start).map(\.id) == [all[1].id])
        // It leads: nothing is another's any more.
        delivery.forgetTold(upTo: version(20), progress: version(20))
        #expect(delivery.unsent == [all[1].id])
        let later = delivery.deliver(
            [all[0]], from: &engine, at: start, position: version(20), isOfTime: false)
        #expect(later.map(\.id) == [all[0].id])
    }

    @Test func `keeps longer what time has made, for another's clock`() throws {
        let delivery = try delivery()
        var engine = AlertEngine(cluster: "c")
        let all = alerts(7, engine: &engine)
        _ = delivery.deliver(
            all, from: &engine, at: start, position: version(7), isOfTime: true)
        delivery.forgetTold(upTo: version(8), progress: version(8))
        #expect(delivery.unsent.count == 1)
    }

    @Test func `goes on keeping what it had not told when it led`() throws {
        let delivery = try delivery()
        var engine = AlertEngine(cluster: "c")
        let all = alerts(7, 9, engine: &engine)
        #expect(delivery.lead([], at: start).isEmpty)
        let told = delivery.deliver(
            all, from: &engine, at: start, position: version(9), isOfTime: false)
        #expect(told.count == 2)
        delivery.standBy(progress: version(9))
        #expect(delivery.unsent.count == 2)
        // Seen on standard output already, but by no sink.
        #expect(delivery.lead([], at: start).isEmpty)
        #expect(delivery.unsent.count == 2)
    }

    @Test func `begins no request without the right to, and lets none go on after it`() async throws
    {
        let asked = Mutex(0)
        let delivery = try delivery {
            asked.withLock { $0 += 1 }
            return nil
        }
        var engine = AlertEngine(cluster: "c")
        let all = alerts(7, engine: &engine)
        _ = delivery.lead([], at: start)
        _ = delivery.deliver(all, from: &engine, at: start, position: version(7), isOfTime: false)
        let left = await delivery.drain(within: .seconds(5))
        #expect(left.map(\.alerts) == [1])
        #expect(asked.withLock { $0 } > 0)
    }

    @Test func `all is told up to a point once what had waited then has gone`() {
        var told = ToldPosition()
        told.advance(to: nil, unsent: [])
        #expect(told.position == nil)
        told.advance(to: version(5), unsent: [])
        #expect(told.position == version(5))
        told.advance(to: version(7), unsent: ["a", "b"])
        #expect(told.position == version(5))
        told.advance(to: version(9), unsent: ["b", "c"])
        #expect(told.position == version(5))
        told.advance(to: version(11), unsent: ["c", "d"])
        #expect(told.position == version(7))
        told.advance(to: version(12), unsent: ["e"])
        #expect(told.position == version(11))
        told.advance(to: version(13), unsent: [])
        #expect(told.position == version(13))
    }
}
