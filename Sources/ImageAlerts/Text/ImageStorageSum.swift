/// The image storage of several nodes together.
package struct ImageStorageSum: Sendable {
    /// In bytes; the largest number there is where they do not fit.
    package private(set) var bytes = 0
    /// Some node's is unknown or cut, or the sum has no room.
    package private(set) var isLowerBound = false

    package init() {}

    /// - Parameters:
    ///   - size: Of one node in bytes; nil: unknown.
    ///   - isTruncated: There may be more.
    package mutating func add(_ size: Int?, isTruncated: Bool) {
        guard let size else {
            isLowerBound = true
            return
        }
        let (sum, overflow) = bytes.addingReportingOverflow(size)
        bytes = overflow ? .max : sum
        isLowerBound = isLowerBound || isTruncated || overflow
    }

    /// "≥ 182 TiB".
    package var text: String { (isLowerBound ? "≥ " : "") + ByteText.text(bytes) }
}

extension Int {
    /// "12,345".
    package var grouped: String {
        var digits = Array(String(magnitude))
        var at = digits.count - 3
        while at > 0 {
            digits.insert(",", at: at)
            at -= 3
        }
        return (self < 0 ? "-" : "") + String(digits)
    }
}
