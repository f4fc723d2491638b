/// A Kubernetes resourceVersion: opaque to clients, in practice a decimal number.
///
/// Decimals without leading zeros compare by length, then by bytes, as apimachinery's
/// `util/resourceversion` does since Kubernetes 1.35; others have no order. Those that fit are kept
/// as a number, which changes nothing about their meaning and saves an allocation a node.
package enum ResourceVersion: Sendable, Hashable {
    case number(UInt64)
    case text(String)

    /// Nothing for an absent or empty one.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return nil }
        var value: UInt64 = 0
        // 19 digits always fit in 64 bits.
        if bytes.count <= 19, bytes[0] != UInt8(ascii: "0") {
            var isDecimal = true
            for byte in bytes {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
                    isDecimal = false
                    break
                }
                value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
            }
            if isDecimal {
                self = .number(value)
                return
            }
        }
        self = .text(String(decoding: bytes, as: UTF8.self))
    }

    /// Nothing for an empty string.
    package init?(_ string: String) {
        var copy = string
        guard let made = copy.withUTF8({ ResourceVersion(UnsafeRawBufferPointer($0)) }) else {
            return nil
        }
        self = made
    }

    /// As the server sent it.
    package var string: String {
        switch self {
        case .number(let value): String(value)
        case .text(let text): text
        }
    }

    /// Whether this one is older than `other`; nothing where the two have no order.
    package func isOlder(than other: ResourceVersion) -> Bool? {
        switch (self, other) {
        case (.number(let left), .number(let right)): return left < right
        default:
            let (left, right) = (string, other.string)
            guard Self.isDecimal(left), Self.isDecimal(right) else { return nil }
            if left.utf8.count != right.utf8.count { return left.utf8.count < right.utf8.count }
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
    }

    /// Whether two are the same or without order; then the later event counts.
    package func isOutdated(by other: ResourceVersion) -> Bool { isOlder(than: other) ?? false }

    private static func isDecimal(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "0") else { return false }
        return text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }
}
