internal import CSQLite
import KubeClient

/// One connection to an SQLite database; belongs to one thread at a time.
///
/// Errors keep SQLite's code and words (https://sqlite.org/rescode.html).
struct Database: ~Copyable {
    /// What SQLite says is wrong.
    struct Failure: Error {
        /// Extended result code.
        var code: Int32
        var message: String

        /// The file is damaged, or no database.
        var isDamage: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xff) }
        /// Another process has it.
        var isBusy: Bool { [SQLITE_BUSY, SQLITE_LOCKED].contains(code & 0xff) }
    }

    /// What a statement takes and gives.
    enum Value: Sendable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)

        var text: String? { if case .text(let text) = self { text } else { nil } }
        var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
        var real: Double? { if case .real(let number) = self { number } else { nil } }
    }

    private let handle: OpaquePointer

    /// Opens or makes a database; one that is only read must be there.
    init(path: String, readOnly: Bool = false) throws(Failure) {
        var handle: OpaquePointer?
        let flags =
            SQLITE_OPEN_FULLMUTEX
            | (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw Failure(code: code, message: message)
        }
        sqlite3_extended_result_codes(handle, 1)
        // Who reads beside it is quick.
        sqlite3_busy_timeout(handle, 2000)
        self.handle = handle
    }

    deinit { sqlite3_close_v2(handle) }

    /// Runs one statement. Returns its rows.
    @discardableResult
    borrowing func run(_ sql: String, _ values: Value...) throws(Failure) -> [[Value]] {
        try run(sql, values)
    }

    /// The same with any number of values.
    @discardableResult
    borrowing func run(_ sql: String, _ values: [Value]) throws(Failure) -> [[Value]] {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
        defer { sqlite3_finalize(statement) }
        for (index, value) in values.enumerated() {
            try check(Self.bind(value, statement, Int32(index + 1)))
        }
        var rows: [[Value]] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                rows.append(
                    (0..<sqlite3_column_count(statement)).map { Self.column(statement, $0) })
            case SQLITE_DONE: return rows
            case let code: throw failure(code)
            }
        }
    }

    private static func bind(_ value: Value, _ statement: OpaquePointer?, _ index: Int32) -> Int32 {
        switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let number): sqlite3_bind_int64(statement, index, number)
        case .real(let number): sqlite3_bind_double(statement, index, number)
        case .text(let text):
            // Copied: it lives no longer than this call.
            sqlite3_bind_text(
                statement, index, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
        }
    }

    private static func column(_ statement: OpaquePointer?, _ index: Int32) -> Value {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT: .real(sqlite3_column_double(statement, index))
        case SQLITE_TEXT: .text(String(cString: sqlite3_column_text(statement, index)))
        default: .null
        }
    }

    private borrowing func check(_ code: Int32) throws(Failure) {
        if code != SQLITE_OK { throw failure(code) }
    }

    private borrowing func failure(_ code: Int32) -> Failure {
        Failure(code: code, message: String(cString: sqlite3_errmsg(handle)))
    }
}
