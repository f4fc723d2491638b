public import FoundationEssentials
public import KubeClient
import Synchronization

/// What alerting keeps in a folder, so that nothing is lost when the process or the machine stops: alerts
/// that sinks have not taken yet, sets of images that were told, and the state of rules. Thread-safe.
///
/// An SQLite database in WAL mode that waits for the disk at every commit. It must lie on a disk of the
/// machine's own or a block volume: file locks and memory maps of network file systems do not do.
public final class AlertState: Sendable {
    /// What must be known of trouble.
    public enum Event: Sendable {
        /// What was there could not be used; it is kept under another name.
        case setAside(reason: String, as: String)
        /// Alerts are sent, but would be lost with the process, until it works again.
        case failed(String)
        /// It works again.
        case recovered
    }

    /// What the last process left.
    private struct Kept: Sendable {
        /// When it was there last; nil: there was none.
        var lastAlive: Date?
        /// The engine's memory: texts by key.
        var memory: [String: String] = [:]
    }

    private static let version: Int64 = 1
    /// "plim": tells our databases from others'.
    private static let applicationID: Int64 = 0x706c_696d
    /// So long an alert that was made is not made again.
    private static let memoryOfAlerts = TimeInterval(7 * 86400)

    /// Points of nodes' histories.
    private static let mostHistory = 200_000

    private struct State: ~Copyable {
        var database: Database
        var hasFailed = false
    }

    /// The database's file.
    public let path: String
    private let state: Mutex<State>
    private let lock: FolderLock
    private let onEvent: @Sendable (Event) -> Void

    /// Opens a folder's state, and makes both where they are missing. What is damaged, of another cluster or
    /// of a newer version is set aside, and said.
    ///
    /// - Parameters:
    ///   - folder: Where to keep it.
    ///   - cluster: What tells the cluster from others.
    ///   - onEvent: Told of trouble, on any thread.
    /// - Throws: `file`: where it can be neither used nor set aside, or another process uses it.
    public init(
        folder: String, cluster: String, onEvent: @escaping @Sendable (Event) -> Void
    ) throws(KubeError) {
        self.onEvent = onEvent
        path = folder + "/alerts.sqlite"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw KubeError(.file, "--state: cannot make the folder \(folder)")
        }
        lock = try FolderLock(folder)
        if let database = try Self.open(path, cluster, onEvent) {
            state = Mutex(State(database: database))
            return
        }
        guard let database = try Self.open(path, cluster, onEvent) else {
            throw KubeError(.file, "\(path) cannot be used, nor set aside")
        }
        state = Mutex(State(database: database))
    }

    /// Nil: what was there is set aside now.
    private static func open(
        _ path: String, _ cluster: String, _ onEvent: (Event) -> Void
    ) throws(KubeError) -> Database? {
        let reason: String
        do throws(Database.Failure) {
            let database = try Database(path: path)
            if let objection = try prepare(database, cluster) {
                reason = objection
            } else {
                return database
            }
        } catch {
            if error.isBusy { throw KubeError(.file, "\(path) is used by another process") }
            guard error.isDamage else {
                throw KubeError(.file, "cannot open \(path): \(error.message)")
            }
            reason = "damaged: \(error.message)"
        }
        let stamp = Int(Date().timeIntervalSince1970 * 1000)
        let aside = "\(path).aside-\(stamp)"
        for suffix in ["", "-wal", "-shm"]
        where FileManager.default.fileExists(atPath: path + suffix) {
            do {
                try FileManager.default.moveItem(atPath: path + suffix, toPath: aside + suffix)
            } catch {
                throw KubeError(.file, "\(path) is \(reason), and cannot be set aside")
            }
        }
        onEvent(.setAside(reason: reason, as: aside))
        return nil
    }

    /// Makes the tables. Returns why what is there cannot be used.
    private static func prepare(
        _ database: borrowing Database, _ cluster: String
    ) throws(Database.Failure) -> String? {
        try database.run("PRAGMA journal_mode=WAL")
        try database.run("PRAGMA synchronous=FULL")
        let found = try database.run("PRAGMA user_version")[0][0].integer ?? 0
        let application = try database.run("PRAGMA application_id")[0][0].integer ?? 0
        let isNew = try database.run("SELECT count(*) FROM sqlite_master")[0][0].integer == 0
        if !isNew, application != applicationID { return "no state of plimsoll's" }
        if found > version { return "of a newer version (\(found); this one knows \(version))" }
        if try database.run("PRAGMA quick_check")[0][0].text != "ok" { return "damaged" }
        for sql in [
            "BEGIN IMMEDIATE", "PRAGMA application_id=\(applicationID)",
            "PRAGMA user_version=\(version)",
            "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS made (id TEXT PRIMARY KEY, at REAL) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS alerts (number INTEGER PRIMARY KEY, id TEXT, body TEXT)",
            "CREATE TABLE IF NOT EXISTS waiting (sink TEXT, number INTEGER, "
                + "PRIMARY KEY (sink, number)) WITHOUT ROWID",
            "CREATE INDEX IF NOT EXISTS waiting_number ON waiting (number)",
            "CREATE INDEX IF NOT EXISTS alerts_id ON alerts (id)",
            "CREATE TABLE IF NOT EXISTS told (number INTEGER PRIMARY KEY, node TEXT, at REAL, text TEXT)",
            "CREATE INDEX IF NOT EXISTS told_node ON told (node)",
            "CREATE TABLE IF NOT EXISTS history (number INTEGER PRIMARY KEY, node TEXT, at INTEGER, bytes INTEGER)",
            "CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
            "COMMIT",
        ] { try database.run(sql) }
        let known = try database.run("SELECT value FROM facts WHERE name='cluster'").first?[0].text
        if let known, known != cluster { return "of another cluster (\(known))" }
        try database.run("INSERT OR REPLACE INTO facts VALUES ('cluster', ?)", .text(cluster))
        return nil
    }

    // MARK: Reading

    /// Gives an engine what the last one remembered. Nil where there was none; else when it was there last.
    ///
    /// - Throws: `file`.
    @discardableResult
    public func restore(_ engine: inout AlertEngine) throws(KubeError) -> Date? {
        let kept = try load()
        engine.restore(kept.memory, unwatchedSince: kept.lastAlive)
        return kept.lastAlive
    }

    private func load() throws(KubeError) -> Kept {
        try read { database throws(Database.Failure) in
            var kept = Kept()
            kept.lastAlive = try database.run("SELECT value FROM facts WHERE name='alive'")
                .first?[0].text.flatMap(Double.init).map(Date.init(timeIntervalSince1970:))
            for row in try database.run("SELECT key, value FROM memory") {
                if let key = row[0].text, let value = row[1].text { kept.memory[key] = value }
            }
            return kept
        }
    }

    /// Alerts that a sink has not taken, in the order in which they were made.
    ///
    /// - Throws: `file`.
    func waiting(for sink: String) throws(KubeError) -> [Alert] {
        let bodies = try read { database throws(Database.Failure) in
            try database.run(
                "SELECT body FROM waiting JOIN alerts USING (number) WHERE sink=? ORDER BY number",
                .text(sink)
            ).compactMap { $0[0].text }
        }
        return bodies.compactMap { try? JSONDecoder().decode(Alert.self, from: Data($0.utf8)) }
    }

    /// What was told of a node last, the latest first: of the last 7 days, be the process that tells still
    /// there or not.
    ///
    /// - Parameters:
    ///   - folder: The state's.
    ///   - node: Its name.
    ///   - most: So many at most.
    /// - Throws: `file`: where there is no state, or it cannot be read.
    public static func lastAlerts(
        in folder: String, of node: String, most: Int
    ) throws(KubeError) -> [(time: Date, text: String)] {
        let path = folder + "/alerts.sqlite"
        do throws(Database.Failure) {
            let database = try Database(path: path, readOnly: true)
            let rows = try database.run(
                "SELECT at, text FROM told WHERE node=? ORDER BY number DESC LIMIT ?", .text(node),
                .integer(Int64(most)))
            return rows.compactMap { row in
                guard let time = row[0].real, let text = row[1].text else { return nil }
                return (Date(timeIntervalSince1970: time), text)
            }
        } catch {
            throw KubeError(.file, "cannot read \(path): \(error.message)")
        }
    }

    private func read<Result: Sendable>(
        _ body: (borrowing Database) throws(Database.Failure) -> Result
    ) throws(KubeError) -> Result {
        let path = path
        return try state.withLock { state throws(KubeError) in
            do throws(Database.Failure) {
                return try body(state.database)
            } catch {
                throw KubeError(.file, "cannot read \(path): \(error.message)")
            }
        }
    }

    // MARK: Writing

    /// Keeps alerts until every sink has taken them, and what the engine remembers, all at once and before
    /// anybody is told. Returns those that were not made before.
    ///
    /// Where the disk does not take it, all of them: they are told all the same.
    ///
    /// - Parameter memory: Texts by key; nil: forget it.
    func record(
        _ alerts: [Alert], for sinks: [String], memory: [(key: String, value: String?)],
        at time: Date
    ) -> [Alert] {
        write(otherwise: alerts) { database throws(Database.Failure) in
            var new: [Alert] = []
            for alert in alerts {
                let known = try database.run("SELECT 1 FROM made WHERE id=?", .text(alert.id))
                if !known.isEmpty { continue }
                new.append(alert)
                let now = Database.Value.real(time.timeIntervalSince1970)
                try database.run("INSERT INTO made VALUES (?, ?)", .text(alert.id), now)
                if let node = alert.node?.name {
                    try database.run(
                        "INSERT INTO told (node, at, text) VALUES (?, ?, ?)", .text(node), now,
                        .text(alert.summary))
                }
                if sinks.isEmpty { continue }
                let number = try database.run(
                    "INSERT INTO alerts (id, body) VALUES (?, ?) RETURNING number",
                    .text(alert.id), .text(alert.jsonLine))[0][0]
                for sink in sinks {
                    try database.run("INSERT INTO waiting VALUES (?, ?)", .text(sink), number)
                }
            }
            for (key, value) in memory {
                if let value {
                    try database.run(
                        "INSERT OR REPLACE INTO memory VALUES (?, ?)", .text(key), .text(value))
                } else {
                    try database.run("DELETE FROM memory WHERE key=?", .text(key))
                }
            }
            return new
        }
    }

    /// A sink has taken alerts, or will never.
    func strike(_ alerts: [Alert], from sink: String) {
        write(otherwise: ()) { database throws(Database.Failure) in
            for alert in alerts {
                let numbers = try database.run(
                    "SELECT number FROM alerts WHERE id=?", .text(alert.id))
                for row in numbers {
                    try database.run(
                        "DELETE FROM waiting WHERE sink=? AND number=?", .text(sink), row[0])
                    try database.run(
                        "DELETE FROM alerts WHERE number=? AND NOT EXISTS "
                            + "(SELECT 1 FROM waiting WHERE waiting.number=alerts.number)", row[0])
                }
            }
        }
    }

    /// Alerts of sinks that are not there any more wait for nobody.
    func forgetSinks(butNot names: [String]) {
        let marks = names.map { _ in "?" }.joined(separator: ",")
        write(otherwise: ()) { database throws(Database.Failure) in
            try database.run(
                "DELETE FROM waiting WHERE sink NOT IN (\(marks))", names.map { .text($0) })
            try database.run(
                "DELETE FROM alerts WHERE number NOT IN (SELECT number FROM waiting)")
        }
    }

    /// Keeps what nodes reported, and when, beside what was kept before.
    ///
    /// - Parameter points: In order; times in seconds since 1970, bytes nil where a node reported none.
    package func keepHistory(_ points: [(node: String, time: UInt32, bytes: Int?)]) {
        if points.isEmpty { return }
        write(otherwise: ()) { database throws(Database.Failure) in
            for (node, time, bytes) in points {
                try database.run(
                    "INSERT INTO history (node, at, bytes) VALUES (?, ?, ?)", .text(node),
                    .integer(Int64(time)), bytes.map { .integer(Int64($0)) } ?? .null)
            }
            try database.run(
                "DELETE FROM history WHERE number <= (SELECT max(number) FROM history) - ?",
                .integer(Int64(Self.mostHistory)))
        }
    }

    /// What was kept by ``keepHistory(_:)``, in order.
    ///
    /// - Throws: `file`.
    package func history() throws(KubeError) -> [(node: String, time: UInt32, bytes: Int?)] {
        try read { database throws(Database.Failure) in
            try database.run("SELECT node, at, bytes FROM history ORDER BY number").compactMap {
                row in
                guard let node = row[0].text, let time = row[1].integer else { return nil }
                return (node, UInt32(clamping: time), row[2].integer.map(Int.init))
            }
        }
    }

    /// Says that somebody is there, and forgets what is old.
    public func beat(at time: Date) {
        write(otherwise: ()) { database throws(Database.Failure) in
            let now = time.timeIntervalSince1970
            try database.run("INSERT OR REPLACE INTO facts VALUES ('alive', ?)", .text("\(now)"))
            let past = Database.Value.real(now - Self.memoryOfAlerts)
            try database.run("DELETE FROM made WHERE at < ?", past)
            try database.run("DELETE FROM told WHERE at < ?", past)
        }
    }

    private func write<Result: Sendable>(
        otherwise fallback: Result,
        _ body: (borrowing Database) throws(Database.Failure) -> Result
    ) -> Result {
        let (result, event) = state.withLock { state -> (Result, Event?) in
            do throws(Database.Failure) {
                try state.database.run("BEGIN IMMEDIATE")
                let result = try body(state.database)
                try state.database.run("COMMIT")
                defer { state.hasFailed = false }
                return (result, state.hasFailed ? .recovered : nil)
            } catch {
                _ = try? state.database.run("ROLLBACK")
                defer { state.hasFailed = true }
                let text = "cannot write \(path): \(error.message)"
                return (fallback, state.hasFailed ? nil : .failed(text))
            }
        }
        if let event { onEvent(event) }
        return result
    }
}
