import FoundationEssentials

/// When what is told once was told last, of rules that want to wait before telling it again.
struct Cooldowns: Sendable {
    private var running: [Subject: (end: Date, suppressed: Int)]

    init() { running = [:] }

    private init(running: [Subject: (end: Date, suppressed: Int)]) { self.running = running }

    /// How many were not told since the last one; nil: this one is not told either.
    mutating func begin(_ subject: Subject, _ length: Duration, _ time: Date) -> Int? {
        guard length > .zero else { return 0 }
        let last = running[subject]
        if let last, time < last.end {
            running[subject]?.suppressed += 1
            return nil
        }
        running[subject] = (time.addingTimeInterval(length / .seconds(1)), 0)
        return last?.suppressed ?? 0
    }

    /// The same by other numbers of rules; those of rules without one are over.
    func moved(_ places: [Int: Int]) -> Cooldowns {
        Cooldowns(running: running.moved(places))
    }

    mutating func forget(_ node: String) {
        for subject in running.keys where subject.node == node { running[subject] = nil }
    }
}
