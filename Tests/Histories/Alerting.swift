import FoundationEssentials
package import ImageAlerts
package import NodeWatch

/// The alerting of a program that is restarted now and then, and remembers what it would have on a disk.
package struct Alerting {
    /// What is not as late as it was known before a restart is waited for this long after the first list.
    private static let patience = Duration.seconds(60)
    /// When histories begin.
    package static let epoch = 1_767_225_600

    /// What lasts, beside what is told once.
    package static let pressure = Rule("pressure", .diskPressure)

    private let options: ImageChangeDetector.Options
    private var engine: AlertEngine
    private var memory: [String: String] = [:]
    private var syncedAt: Duration?
    /// All that had been told before the restart has come again, or will not.
    package private(set) var isSettled = false

    package init(_ options: ImageChangeDetector.Options = .init()) {
        self.options = options
        engine = Self.engine(options, [:], nil)
    }

    /// One that takes what nodes report for what they have, at once.
    package static var withoutPatience: Alerting {
        var options = ImageChangeDetector.Options()
        options.cap = .none
        options.warmUp = .zero
        return Alerting(options)
    }

    private static func engine(
        _ options: ImageChangeDetector.Options, _ memory: [String: String], _ watchedUntil: Date?
    ) -> AlertEngine {
        var engine = AlertEngine(
            cluster: "simulated", rules: [.storageChanged, pressure], detection: options)
        engine.restore(memory, unwatchedSince: watchedUntil)
        return engine
    }

    /// The program begins anew.
    package mutating func restart(_ now: Duration) {
        engine = Self.engine(options, memory, Self.date(now))
        syncedAt = nil
        isSettled = false
    }

    package mutating func observe(_ change: NodeChange, _ now: Duration) -> [Alert] {
        remember(engine.advance(to: Self.date(now)) + engine.observe(change, at: Self.date(now)))
    }

    package mutating func advance(_ now: Duration) -> [Alert] {
        remember(engine.advance(to: Self.date(now)))
    }

    /// Takes in how far the store is; nil: it has no list yet.
    package mutating func noteVersion(_ version: ResourceVersion?, _ now: Duration) -> [Alert] {
        guard let version, !isSettled else { return [] }
        let start = syncedAt ?? now
        syncedAt = start
        guard engine.hasCaughtUp(with: version) || now - start >= Self.patience else { return [] }
        return settle(now)
    }

    /// Nothing can come any more of what was known before.
    package mutating func settle(_ now: Duration) -> [Alert] {
        isSettled = true
        let late = engine.advance(to: Self.date(now))
        return remember(late + engine.markListed(at: Self.date(now)))
    }

    private mutating func remember(_ alerts: [Alert]) -> [Alert] {
        // A list that stays lost is no alert.
        _ = engine.takeLostLists()
        for (key, value) in engine.takeMemory() { memory[key] = value }
        return alerts
    }

    private static func date(_ now: Duration) -> Date {
        Date(timeIntervalSince1970: Double(epoch) + now / .seconds(1))
    }
}
