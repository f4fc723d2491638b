import Foundation
import NodeWatch
import PlimsollService
import Testing

@Suite("NodeHistory")
struct NodeHistoryTests {
    private static let start = Date(timeIntervalSince1970: 1_790_000_000)

    private func node(_ bytes: Int?, name: String = "n") -> NodeSummary {
        NodeSummary(
            .init(
                name: name, uid: "u", resourceVersion: "1",
                images: bytes.map { [ContainerImage(names: ["a:1"], sizeBytes: $0)] }))
    }

    private func change(_ old: Int?, _ new: Int?, name: String = "n") -> NodeChange {
        .updated(old: node(old, name: name), new: node(new, name: name))
    }

    @Test func `keeps what nodes reported when it changed, and nothing of those that did not`() {
        let history = NodeHistory(start: Self.start)
        history.take(.added(node(5), isInInitialList: true), at: Self.start)
        history.take(change(5, 5), at: Self.start + 10)
        #expect(history.points(of: "n").isEmpty)
        history.take(change(5, 7), at: Self.start + 20)
        history.take(change(7, nil), at: Self.start + 30)
        #expect(
            history.points(of: "n") == [
                .init(time: 1_790_000_000, bytes: 5), .init(time: 1_790_000_020, bytes: 7),
                .init(time: 1_790_000_030, bytes: nil),
            ])
        #expect(history.takeUnkept().isEmpty)
    }

    @Test func `has bounds, of a node and of all together`() {
        let history = NodeHistory(start: Self.start, keeps: true)
        for step in 0..<500 {
            history.take(change(step, step + 1), at: Self.start + Double(step))
        }
        let points = history.points(of: "n")
        #expect(points.count == 200 && points.last?.bytes == 500)
        #expect(history.takeUnkept().count == 501)
        #expect(history.takeUnkept().isEmpty)
        for number in 0..<2_000 {
            for step in 0..<150 {
                history.take(change(step, step + 1, name: "m\(number)"), at: Self.start)
            }
        }
        let all = (0..<2_000).map { history.points(of: "m\($0)").count }.reduce(0, +)
        #expect(all <= 200_000 && all > 80_000)
        #expect(history.points(of: "m1999").last?.bytes == 150)
    }

    @Test func `goes on from what an earlier process kept`() {
        let history = NodeHistory(start: Self.start)
        history.restore([("n", .init(time: 1, bytes: 3)), ("n", .init(time: 2, bytes: 4))])
        history.take(change(4, 5), at: Self.start)
        #expect(history.points(of: "n").map(\.bytes) == [3, 4, 5])
    }
}
