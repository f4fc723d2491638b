import FoundationEssentials
import NodeWatch

/// What changed on a node within a window of time.
struct ChangeWindow: Sendable, Codable {
    private struct Sample: Codable {
        var time: Date
        /// By how much the reported total changed.
        var delta: Int
        /// Bytes that came and went, together.
        var moved: Int
    }

    private let length: TimeInterval
    private var samples: [Sample] = []

    init(_ length: Duration) { self.length = length / .seconds(1) }

    var isEmpty: Bool { samples.isEmpty }
    var count: Int { samples.count }
    var delta: Int { samples.reduce(0) { Self.sum($0, $1.delta) } }
    var moved: Int { samples.reduce(0) { Self.sum($0, $1.moved) } }
    /// When the oldest leaves it.
    var nextDue: Date? { samples.first.map { $0.time.addingTimeInterval(length) } }

    mutating func add(_ change: ImageChange, at time: Date) {
        let moved = (change.added + change.removed).reduce(0) { Self.sum($0, $1.sizeBytes) }
        samples.append(Sample(time: time, delta: change.deltaBytes ?? 0, moved: moved))
    }

    mutating func expire(_ time: Date) {
        samples.removeAll { $0.time.addingTimeInterval(length) <= time }
    }

    /// Sizes come from the cluster, and may be anything.
    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? (right > 0 ? .max : .min) : sum
    }
}
