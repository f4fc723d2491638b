/// Texts as values of logfmt lines.
package enum LogfmtText {
    /// Quoted where it has spaces, quotes, equal signs or nothing in it.
    package static func value(_ text: String) -> String {
        let needsQuotes =
            text.isEmpty
            || text.unicodeScalars.contains { $0.value <= 0x20 || $0 == "\"" || $0 == "=" }
        guard needsQuotes else { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
