package import NodeWatch

/// What one who stands by would have told: it waits until who leads has told it, or does not lead any more.
///
/// An alert that a change made has been told once all up to that change has been. One that time made may
/// come from the other's clock a little later.
struct StandbyLedger: Sendable {
    private struct Entry: Sendable {
        var alert: Alert
        /// How far this process' view had come; nil: it had not begun.
        var position: ResourceVersion?
        var notBefore: ContinuousClock.Instant
        /// Others have seen it, but not every sink.
        var isKnown: Bool
    }

    /// So much later may another's clock bring what time brings.
    static let patience = Duration.seconds(10)
    /// In memory; the oldest go first.
    static let mostAlerts = 10_000

    private var entries: [Entry] = []

    var count: Int { entries.count }

    /// - Parameters:
    ///   - isOfTime: No change made them, or nobody knows which.
    ///   - isKnown: They were made by one who led.
    /// - Returns: Those that found no room.
    mutating func add(
        _ alerts: [Alert], at position: ResourceVersion?, isOfTime: Bool,
        isKnown: Bool = false, now: ContinuousClock.Instant
    ) -> [Alert] {
        let notBefore = isOfTime ? now + Self.patience : now
        entries += alerts.map {
            Entry(alert: $0, position: position, notBefore: notBefore, isKnown: isKnown)
        }
        guard entries.count > Self.mostAlerts else { return [] }
        let surplus = entries.prefix(entries.count - Self.mostAlerts).map(\.alert)
        entries.removeFirst(surplus.count)
        return surplus
    }

    /// Takes out what has been told by who has told all up to a position.
    ///
    /// - Parameter progress: How far this process' view has come.
    mutating func takeTold(
        upTo told: ResourceVersion, progress: ResourceVersion?, now: ContinuousClock.Instant
    ) -> [Alert] {
        var gone: [Alert] = []
        entries = entries.compactMap { entry in
            var entry = entry
            if entry.position == nil { entry.position = progress }
            guard let position = entry.position,
                position == told || position.isOutdated(by: told), entry.notBefore <= now
            else { return entry }
            gone.append(entry.alert)
            return nil
        }
        return gone
    }

    /// Takes out all: this process leads now. Returns what nobody has seen.
    mutating func takeAll() -> [Alert] {
        defer { entries = [] }
        return entries.filter { !$0.isKnown }.map(\.alert)
    }
}

/// How far one who leads has told everything.
package struct ToldPosition: Sendable {
    private var candidate: (position: ResourceVersion, unsent: Set<String>)?
    /// All that was to be told of what happened up to here has been taken by every sink; nil: not known yet.
    package private(set) var position: ResourceVersion?

    package init() {}

    /// - Parameters:
    ///   - position: All that happened up to here has become alerts.
    ///   - unsent: The ids of those that wait now.
    package mutating func advance(to position: ResourceVersion?, unsent: Set<String>) {
        if let candidate {
            guard candidate.unsent.isDisjoint(with: unsent) else { return }
            self.position = candidate.position
        }
        candidate = position.map { ($0, unsent) }
        if unsent.isEmpty, let position { self.position = position }
    }
}
