import ImageAlerts
import Synchronization

/// What a watch says on standard error, and its alerts on standard output: both may be one terminal.
final class WatchTalk: Sendable {
    private let status = Mutex(StatusLine())
    /// Of what is noted.
    let format: AlertFormat

    init(_ format: AlertFormat = .text) { self.format = format }

    /// Shows a line that the next one replaces, on a terminal.
    func show(_ text: String) {
        if format == .text { status.withLock { $0.show(text) } }
    }

    /// Says what happened, with the time.
    func note(_ message: String, _ level: LogLevel = .info, cluster: String? = nil) {
        say(LogLine(level: level, cluster: cluster, message: message).text(format))
    }

    /// Takes that line away.
    func clear() { status.withLock { $0.clear() } }

    func say(_ text: String) {
        status.withLock { status in
            status.clear()
            Talk.say(text)
        }
    }

    /// Writes an alert. False when nobody reads them any more.
    func alert(_ line: String) -> Bool {
        status.withLock { status in
            status.clear()
            return Output.tryLine(line)
        }
    }
}
