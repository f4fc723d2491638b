import FoundationEssentials

/// What is to be looked at again, and when.
struct DueDates<Key: Hashable & Comparable & Sendable>: Sendable {
    private var dates: [Key: Date] = [:]
    /// No later than the first.
    private(set) var next: Date?

    subscript(key: Key) -> Date? {
        get { dates[key] }
        set {
            if newValue == nil, dates.isEmpty { return }
            dates[key] = newValue
            if let newValue { next = next.map { min($0, newValue) } ?? newValue }
        }
    }

    /// Takes out what is due by then, in order.
    mutating func take(_ time: Date) -> [Key] {
        guard let next, next <= time else { return [] }
        let due = dates.filter { $0.value <= time }.keys.sorted()
        for key in due { dates[key] = nil }
        self.next = dates.values.min()
        return due
    }
}
