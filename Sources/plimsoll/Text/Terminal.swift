import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is at the other end of an output.
enum Terminal {
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
    static let errorsAreTerminal = isatty(STDERR_FILENO) == 1

    /// Colours on a terminal, unless NO_COLOR says no (https://no-color.org) or it is a dumb one.
    static let outputIsColored =
        outputIsTerminal && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"

    /// Columns of the terminal; 0 when there is none.
    static var width: Int {
        var size = winsize()
        guard outputIsTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return 0 }
        return Int(size.ws_col)
    }

    static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }

    /// Now, "12:03:07" where we are.
    static var time: String { time(Date()) }

    static func time(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

/// A line that is written over until something else is said.
struct StatusLine: Sendable {
    private var isShown = false

    /// Shows a text in place of the one before. Only on a terminal.
    mutating func show(_ text: String) {
        guard Terminal.errorsAreTerminal else { return }
        FileDescriptor.write("\r\u{1b}[K" + text, to: STDERR_FILENO)
        isShown = true
    }

    /// Takes it away before something else is said.
    mutating func clear() {
        if isShown { FileDescriptor.write("\r\u{1b}[K", to: STDERR_FILENO) }
        isShown = false
    }
}
