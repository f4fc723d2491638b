/// A pattern with `*` for any text and `?` for one character, everything else as it is.
public struct Glob: Sendable, Hashable {
    /// As it was written.
    public let pattern: String
    private let bytes: [UInt8]

    /// Any text is a pattern.
    public init(_ pattern: String) {
        self.pattern = pattern
        bytes = Array(pattern.utf8)
    }

    /// Whether all of a text matches.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matches($0) }
    }

    /// In time proportional to both lengths at worst: only the last star is ever tried again.
    private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var (p, t) = (0, 0)
        var star: (p: Int, t: Int)?
        while t < text.count {
            if p < bytes.count, bytes[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < bytes.count, bytes[p] == UInt8(ascii: "?") {
                p += 1
                t = Self.next(text, t)
            } else if p < bytes.count, bytes[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                star = (last.p, last.t + 1)
                p = last.p + 1
                t = last.t + 1
            } else {
                return false
            }
        }
        while p < bytes.count, bytes[p] == UInt8(ascii: "*") { p += 1 }
        return p == bytes.count
    }

    /// Behind the character that begins there.
    private static func next(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var at = start + 1
        while at < text.count, text[at] & 0xc0 == 0x80 { at += 1 }
        return at
    }
}
