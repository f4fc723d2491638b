/// A key that was pressed.
enum TopKey: Sendable, Hashable {
    case character(Character)
    case enter, escape, backspace
    case up, down, left, right, pageUp, pageDown, home, end

    /// The keys that bytes from a terminal are; what is none is passed over. Bytes of a character that is not
    /// whole yet stay.
    ///
    /// - Parameter isAll: Nothing follows: an escape by itself is the key.
    static func take(from bytes: inout [UInt8], isAll: Bool) -> [TopKey] {
        var keys: [TopKey] = []
        var at = 0
        while at < bytes.count {
            let rest = bytes[at...]
            guard let (key, length) = first(rest, isAll) else { break }
            if let key { keys.append(key) }
            at += length
        }
        bytes.removeFirst(at)
        return keys
    }

    /// Nil: more is needed.
    private static func first(_ bytes: ArraySlice<UInt8>, _ isAll: Bool) -> (TopKey?, Int)? {
        let start = bytes.startIndex
        switch bytes[start] {
        case 0x1b:
            if bytes.count == 1 { return isAll ? (.escape, 1) : nil }
            guard bytes[start + 1] == UInt8(ascii: "[") || bytes[start + 1] == UInt8(ascii: "O")
            else { return (.escape, 1) }
            // Parameters, then a letter or a tilde.
            guard
                let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7e).contains($0) })
            else { return isAll ? (nil, bytes.count) : nil }
            let number = String(decoding: bytes[(start + 2)..<end], as: UTF8.self)
            return (named(bytes[end], number), end - start + 1)
        case 0x0d, 0x0a: return (.enter, 1)
        case 0x7f, 0x08: return (.backspace, 1)
        case 0..<0x20: return (nil, 1)
        case let lead:
            let length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
            guard bytes.count >= length else { return isAll ? (nil, bytes.count) : nil }
            let text = String(validating: bytes[start..<(start + length)], as: UTF8.self)
            return (text?.first.map { .character($0) }, length)
        }
    }

    private static func named(_ letter: UInt8, _ number: String) -> TopKey? {
        switch (letter, number) {
        case (UInt8(ascii: "A"), _): .up
        case (UInt8(ascii: "B"), _): .down
        case (UInt8(ascii: "C"), _): .right
        case (UInt8(ascii: "D"), _): .left
        case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): .home
        case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): .end
        case (UInt8(ascii: "~"), "5"): .pageUp
        case (UInt8(ascii: "~"), "6"): .pageDown
        default: nil
        }
    }
}
