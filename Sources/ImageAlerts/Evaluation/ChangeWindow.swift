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
    var delta: Int { samples.reduce(0) { $0.addingWithinBounds($1.delta) } }
    var moved: Int { samples.reduce(0) { $0.addingWithinBounds($1.moved) } }
    /// When the oldest leaves it.
    var nextDue: Date? { samples.first.map { $0.time.addingTimeInterval(length) } }

    mutating func add(_ change: ImageChange, at time: Date) {
        let moved = (change.added + change.removed).reduce(0) {
            $0.addingWithinBounds($1.sizeBytes)
        }
        samples.append(Sample(time: time, delta: change.deltaBytes ?? 0, moved: moved))
    }

    mutating func expire(_ time: Date) {
        samples.removeAll { $0.time.addingTimeInterval(length) <= time }
    }
}

extension Int {
    /// The sum, or the bound that it goes beyond: sizes come from the cluster, and may be anything.
    func addingWithinBounds(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
