/// Builds protobuf by hand, byte by byte, as gogo/protobuf writes it: fields in the order in which
/// they are given, lengths in the shortest form.
package struct ProtobufText {
    package var bytes: [UInt8] = []

    package init() {}

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A field that is a number.
    package mutating func number(_ field: Int, _ value: Int) {
        varint(UInt64(field << 3))
        varint(UInt64(bitPattern: Int64(value)))
    }

    package mutating func bool(_ field: Int, _ value: Bool) { number(field, value ? 1 : 0) }

    /// A field of bytes that are there already.
    package mutating func raw(_ field: Int, _ content: [UInt8]) {
        varint(UInt64(field << 3 | 2))
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    package mutating func string(_ field: Int, _ text: String) {
        varint(UInt64(field << 3 | 2))
        varint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// A field that is a message.
    package mutating func message(_ field: Int, _ write: (inout ProtobufText) -> Void) {
        varint(UInt64(field << 3 | 2))
        // Most messages have a length of one byte or of two; what comes after it moves otherwise.
        let at = bytes.count
        bytes.append(0)
        write(&self)
        var length = UInt64(bytes.count - at - 1)
        if length < 0x80 {
            bytes[at] = UInt8(length)
            return
        }
        var prefix: [UInt8] = []
        while length >= 0x80 {
            prefix.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        prefix.append(UInt8(length))
        bytes.replaceSubrange(at...at, with: prefix)
    }

    /// A map's entry.
    package mutating func entry(_ field: Int, _ key: String, _ value: String) {
        message(field) {
            $0.string(1, key)
            $0.string(2, value)
        }
    }

    /// metav1.Time.
    package mutating func time(_ field: Int, _ seconds: Int?) {
        message(field) {
            guard let seconds else { return }
            $0.number(1, seconds)
            $0.number(2, 0)
        }
    }
}
