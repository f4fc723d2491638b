import FoundationEssentials

/// Strings as JSON.
package enum JSONString {
    /// A string with its quotes, escaped.
    package static func quoted(_ text: String) -> String {
        // Nearly all: nothing to escape.
        let isPlain = text.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain { return "\"\(text)\"" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // A string cannot fail to encode.
        return String(decoding: (try? encoder.encode(text)) ?? Data("\"\"".utf8), as: UTF8.self)
    }
}
