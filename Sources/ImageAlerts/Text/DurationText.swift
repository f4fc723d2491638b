/// Times for people: "90s", "10m", "1h30m", "500ms".
public enum DurationText {
    private static let units: [(name: String, seconds: Double)] = [
        ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400),
    ]

    /// Reads a time as kubectl and Prometheus take it; nil where it is none. Zero is "0" or "0s".
    public static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var total = Duration.zero
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(digits), value < 1e9,
                let factor = units.first(where: { $0.name == unit })?.seconds
            else { return nil }
            total += .seconds(value * factor)
        }
        return text.isEmpty ? nil : total
    }

    /// "90s" as "1m30s".
    public static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        var rest = seconds
        var text = ""
        for (name, length) in [("d", Int64(86400)), ("h", 3600), ("m", 60), ("s", 1)] {
            if rest >= length {
                text += "\(rest / length)\(name)"
                rest %= length
            }
        }
        return text.isEmpty ? "0s" : text
    }
}
