import FoundationEssentials
import KubeClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Data for standard output.
enum Output {
    /// Writes one line at once, so that a reader never sees half of it. Ends the program, quietly,
    /// when nobody reads any more.
    static func line(_ text: String) {
        if !tryLine(text) { endProgram(0) }
    }

    /// Writes text that ends with a line break of its own.
    static func text(_ text: String) {
        if !FileDescriptor.write(text, to: STDOUT_FILENO) { endProgram(0) }
    }

    /// Writes one line at once. False when nobody reads any more.
    static func tryLine(_ text: String) -> Bool {
        FileDescriptor.write(text + "\n", to: STDOUT_FILENO)
    }

    /// A value as JSON on one line.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

/// Talk for people, on standard error.
enum Talk {
    static func say(_ text: String) { FileDescriptor.write(text + "\n", to: STDERR_FILENO) }
    static func warn(_ text: String) { say("warning: \(text)") }
}

/// An error that ends the program with 1 and one line.
struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Encodes nil as null instead of leaving the key out.
struct Nullable<Value: Encodable>: Encodable {
    var value: Value?

    init(_ value: Value?) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}

enum FileDescriptor {
    /// Writes all of it. False when that was not possible.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var copy = text
        return copy.withUTF8 { FileWriter.write(UnsafeRawBufferPointer($0), to: descriptor) }
    }
}

/// Numbers of signals.
enum SignalNumber {
    static let interrupt = SIGINT

    /// A closed pipe or connection shows as an error where it is written, not as a signal.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}

/// Ends the program with an exit code.
func endProgram(_ code: Int32) -> Never { exit(code) }
