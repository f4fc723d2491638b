/// Builds JSON by hand, byte by byte. The simulator shares no encoder with what it tests.
package struct JSONText {
    package var bytes: [UInt8] = []

    package init() {}

    /// Appends text that is JSON already.
    @inlinable package mutating func raw(_ text: StaticString) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends text that is JSON already.
    @inlinable package mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// Appends bytes that are JSON already.
    @inlinable package mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }

    /// Appends a string with its quotes, escaped as Go's encoding/json escapes.
    package mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.allSatisfy(Self.isPlain) {
            bytes.append(contentsOf: text.utf8)
        } else {
            for scalar in text.unicodeScalars { escaped(scalar) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends an integer.
    package mutating func number(_ value: Int) { raw(String(value)) }

    /// Appends an object of strings.
    package mutating func object(_ pairs: [(String, String)]) {
        raw("{")
        for (index, pair) in pairs.enumerated() {
            if index > 0 { raw(",") }
            string(pair.0)
            raw(":")
            string(pair.1)
        }
        raw("}")
    }

    /// Whether a byte stands for itself.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "&"):
            false
        case 0x20..<0x7f: true
        default: false
        }
    }

    private mutating func escaped(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": raw(#"\""#)
        case "\\": raw(#"\\"#)
        case "\n": raw(#"\n"#)
        case "\r": raw(#"\r"#)
        case "\t": raw(#"\t"#)
        case "<", ">", "&", "\u{2028}", "\u{2029}": hexEscape(scalar.value)
        default:
            if scalar.value < 0x20 {
                hexEscape(scalar.value)
            } else {
                bytes.append(contentsOf: Array(String(scalar).utf8))
            }
        }
    }

    private mutating func hexEscape(_ value: UInt32) {
        let digits = String(value, radix: 16)
        raw("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
    }
}
