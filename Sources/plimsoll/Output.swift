import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Data for standard output.
enum Output {
    /// Writes one line at once, so that a reader never sees half of it.
    static func line(_ text: String) { FileDescriptor.write(text + "\n", to: STDOUT_FILENO) }

    /// Writes a value as one line of JSON.
    static func line(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
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
    /// Writes all of it; gives up silently where nobody reads any more.
    static func write(_ text: String, to descriptor: Int32) {
        var copy = text
        copy.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes {
                    systemWrite(descriptor, $0.baseAddress, $0.count)
                }
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }

    private static func systemWrite(
        _ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int
    ) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #else
            Darwin.write(descriptor, bytes, count)
        #endif
    }
}

/// Ends the program with an exit code.
func endProgram(_ code: Int32) -> Never { exit(code) }
