#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What happened in a history, line by line: the same seed writes the same bytes.
package final class Log {
    private let file: UnsafeMutablePointer<FILE>?
    /// Of every byte (FNV-1a), so that two histories can be compared without their logs.
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    package init(to path: String?) {
        file = path.flatMap { fopen($0, "w") }
    }

    deinit { if let file { fclose(file) } }

    /// Prints a line at once, to a pipe as well: who runs it for minutes wants to see how far it is.
    package static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    package func add(_ time: Duration, _ text: String) {
        let (seconds, rest) = time.components
        let milliseconds = "\(1000 + rest / 1_000_000_000_000_000)".dropFirst()
        let line = "\(seconds).\(milliseconds) \(text)\n"
        for byte in line.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        if let file { fputs(line, file) }
    }
}
