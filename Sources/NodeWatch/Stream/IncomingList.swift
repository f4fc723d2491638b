import KubeClient
import WatchEngine

/// A list that comes in, over as many answers as it takes, beside the store that it is to take the place of.
struct IncomingList<Reader: StreamReader> {
    typealias Table = Reader.Table

    private(set) var table = Table()
    /// The store's table when the list began: what is the same is shared.
    private var known = Table()
    private var bytes = 0
    private var start: ContinuousClock.Instant?
    private var lastReport: ContinuousClock.Instant

    init(at now: ContinuousClock.Instant) { lastReport = now }

    var count: Int { table.count }

    // MARK: Its course

    /// Begins, or begins anew after an attempt that failed: the time of that counts.
    mutating func begin(_ known: Table, at now: ContinuousClock.Instant) {
        table = Table()
        self.known = known
        lastReport = now
        if start == nil {
            start = now
            bytes = 0
        }
    }

    mutating func received(_ count: Int) { bytes += count }

    /// What it has come to by now; nil when that was asked less than an interval ago.
    mutating func report(
        every interval: Duration, at now: ContinuousClock.Instant
    ) -> WatchNotice? {
        guard now - lastReport >= interval else { return nil }
        lastReport = now
        return .listing(objects: count, bytes: bytes)
    }

    /// What there is to say of a list that is whole.
    func sync(
        _ kind: WatchNotice.Sync.Kind, _ format: WireFormat, isRelist: Bool,
        at now: ContinuousClock.Instant
    ) -> WatchNotice.Sync {
        WatchNotice.Sync(
            kind: kind, wireFormat: format, objects: count, bytes: bytes,
            duration: now - (start ?? now), isRelist: isRelist)
    }

    /// Lets go of everything.
    mutating func end() {
        table = Table()
        known = Table()
        start = nil
    }

    // MARK: Its objects

    /// Takes in an object; of one that cannot be used the last good state stays.
    mutating func apply(
        _ event: plm_event, _ reader: Reader, seen: UInt32
    ) -> CacheOutcome<Table.Object> {
        let outcome = reader.apply(
            event, version: reader.version(of: event) ?? .text(""), to: &table, known: known,
            seen: seen)
        if case .unusable = outcome {
            adopt(reader.name(of: event), in: reader.namespace(of: event), reader)
        }
        return outcome
    }

    mutating func delete(_ event: plm_event, _ reader: Reader) -> CacheOutcome<Table.Object> {
        reader.delete(event, version: reader.version(of: event) ?? .text(""), from: &table)
    }

    /// It is there, only unreadable: its last good state stays.
    mutating func adopt(_ name: plm_text, in namespace: plm_text, _ reader: Reader) {
        reader.adopt(name, in: namespace, known, &table)
    }
}
