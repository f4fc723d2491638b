public import FoundationEssentials
public import NodeWatch
import Synchronization

/// What nodes reported lately: a node's image storage each time it changed, in bounded memory. Thread-safe.
public final class NodeHistory: Sendable {
    /// What a node reported from a time on.
    public struct Point: Sendable, Hashable {
        /// In seconds since 1970.
        public var time: UInt32
        /// Reported image storage in bytes; nil: it reported none.
        public var bytes: Int?

        /// A point.
        public init(time: UInt32, bytes: Int?) {
            self.time = time
            self.bytes = bytes
        }
    }

    /// Of one node; the oldest go first.
    static let mostPoints = 200
    /// Of all nodes together; then every node keeps half of what it has.
    static let mostPointsTogether = 200_000

    fileprivate struct State: Sendable {
        var points: [String: [Point]] = [:]
        var count = 0
        var unkept: [(node: String, point: Point)] = []
    }

    private let state = Mutex(State())
    private let start: UInt32
    private let keeps: Bool

    /// - Parameters:
    ///   - start: Since when nodes are watched.
    ///   - keeps: Whether ``takeUnkept()`` is called now and then.
    public init(start: Date, keeps: Bool = false) {
        self.start = Self.seconds(start)
        self.keeps = keeps
    }

    /// Takes in what happened to a node. Nothing is kept of one that does not change.
    public func take(_ change: NodeChange, at time: Date) {
        guard case .updated(let old, let new) = change else { return }
        let (before, now) = (Self.bytes(old), Self.bytes(new))
        if before == now { return }
        let point = Point(time: Self.seconds(time), bytes: now)
        state.withLock { state in
            if state.points[new.name] == nil {
                // It was so at least since there is somebody to see it.
                let first = Point(time: start, bytes: before)
                state.add(new.name, first)
                if keeps { state.unkept.append((new.name, first)) }
            }
            state.add(new.name, point)
            if keeps { state.unkept.append((new.name, point)) }
        }
    }

    private static func bytes(_ node: NodeSummary) -> Int? {
        node.imageCount > 0 ? node.imageBytes : nil
    }

    private static func seconds(_ time: Date) -> UInt32 {
        UInt32(clamping: Int(time.timeIntervalSince1970))
    }

    /// Takes in what was kept by an earlier process, in order.
    public func restore(_ kept: [(node: String, point: Point)]) {
        state.withLock { state in
            for (node, point) in kept { state.add(node, point) }
        }
    }

    /// What is to be kept beyond this process, since the last call.
    public func takeUnkept() -> [(node: String, point: Point)] {
        state.withLock { state in
            defer { state.unkept = [] }
            return state.unkept
        }
    }

    /// What a node reported, the oldest first; empty where it did not change.
    public func points(of node: String) -> [Point] {
        state.withLock { $0.points[node] ?? [] }
    }
}

extension NodeHistory.State {
    fileprivate mutating func add(_ node: String, _ point: NodeHistory.Point) {
        points[node, default: []].append(point)
        count += 1
        if points[node]!.count > NodeHistory.mostPoints {
            points[node]!.removeFirst()
            count -= 1
        }
        guard count > NodeHistory.mostPointsTogether else { return }
        count = 0
        for name in points.keys {
            points[name]!.removeFirst(points[name]!.count / 2)
            count += points[name]!.count
        }
    }
}
