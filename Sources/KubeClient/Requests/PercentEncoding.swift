/// Text in paths, queries and header names (RFC 3986, section 2).
package enum PercentEncoding {
    /// Letters, digits and what else is not reserved in URLs.
    private static let unreserved = "-_.~"

    /// All but letters, digits and some others in percent, byte by byte.
    package static func encoded(_ text: String, butNot others: String? = nil) -> String {
        let others = (others ?? unreserved).utf8
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where others.contains(byte):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    /// A query with its question mark; "" where there are no pairs.
    package static func query(_ pairs: [(String, String)]) -> String {
        if pairs.isEmpty { return "" }
        return "?" + pairs.map { "\($0.0)=\(encoded($0.1))" }.joined(separator: "&")
    }
}
