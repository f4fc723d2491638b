/// HTML that is put together so that what comes from a cluster can only be text: markup is what stands in this
/// program, everything else is escaped.
struct HTMLText {
    private(set) var bytes: [UInt8] = []

    /// Markup.
    mutating func raw(_ markup: StaticString) {
        bytes += UnsafeBufferPointer(start: markup.utf8Start, count: markup.utf8CodeUnitCount)
    }

    /// Text, in an element or in an attribute's quotes.
    mutating func text(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): raw("&amp;")
            case UInt8(ascii: "<"): raw("&lt;")
            case UInt8(ascii: ">"): raw("&gt;")
            case UInt8(ascii: "\""): raw("&quot;")
            case UInt8(ascii: "'"): raw("&#39;")
            // Characters that HTML does not have.
            case 0..<9, 11, 12, 14..<32: raw("\u{FFFD}")
            default: bytes.append(byte)
            }
        }
    }

    mutating func number(_ number: Int) { bytes += "\(number)".utf8 }

    /// An element with text.
    mutating func element(_ open: StaticString, _ text: String, _ close: StaticString) {
        raw(open)
        self.text(text)
        raw(close)
    }

    /// Something between two pieces of markup.
    mutating func between(
        _ open: StaticString, _ close: StaticString, _ body: (inout HTMLText) -> Void
    ) {
        raw(open)
        body(&self)
        raw(close)
    }
}

extension String {
    /// As one part of a path or query.
    var inPath: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                text += byte < 16 ? "%0\(hex)" : "%\(hex)"
            }
        }
        return text
    }

    /// What `inPath` was made of; nil where it cannot be.
    var fromPath: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
