import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The terminal as a screen: no echo, keys as they are pressed, and what was there before comes back at the end.
final class RawTerminal: Sendable {
    struct Size: Sendable, Hashable {
        var columns: Int
        var rows: Int
    }

    private let before: Mutex<termios>
    private let isOpen = Mutex(true)

    /// Nil where there is no terminal, or one that cannot do it.
    init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1,
            Terminal.variable("TERM") != "dumb"
        else { return nil }
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        before = Mutex(settings)
        settings.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN)
        settings.c_iflag &= ~tcflag_t(IXON | ICRNL)
        // Who suspends the program would be left with its screen.
        Self.set(&settings, VSUSP, 0)
        Self.set(&settings, VMIN, 0)
        Self.set(&settings, VTIME, 0)
        guard tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 else { return nil }
        // The other screen, without a cursor.
        write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
    }

    private static func set(_ settings: inout termios, _ index: Int32, _ value: cc_t) {
        withUnsafeMutableBytes(of: &settings.c_cc) { $0[Int(index)] = value }
    }

    deinit { close() }

    /// Gives the terminal back.
    func close() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        write("\u{1b}[?25h\u{1b}[?1049l")
        before.withLock { settings in
            _ = tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        }
    }

    func write(_ text: String) { FileDescriptor.write(text, to: STDOUT_FILENO) }

    var size: Size {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return Size(columns: 80, rows: 24) }
        return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// Waits for keys, for so long at most. Nil: nobody is at the terminal any more.
    func keys(within milliseconds: Int32) -> [TopKey]? {
        var bytes: [UInt8] = []
        guard read(&bytes, milliseconds) else { return nil }
        if bytes.isEmpty { return [] }
        var keys = TopKey.take(from: &bytes, isAll: false)
        // The rest of a key, or an escape by itself.
        while !bytes.isEmpty {
            let count = bytes.count
            guard read(&bytes, 30) else { return nil }
            keys += TopKey.take(from: &bytes, isAll: bytes.count == count)
        }
        return keys
    }

    private func read(_ bytes: inout [UInt8], _ milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, milliseconds) > 0 else { return true }
        var buffer = [UInt8](repeating: 0, count: 256)
        #if canImport(Glibc)
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        #else
            let count = Darwin.read(STDIN_FILENO, &buffer, buffer.count)
        #endif
        guard count > 0 else { return false }
        bytes += buffer.prefix(count)
        return true
    }
}
