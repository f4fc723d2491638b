/// Sizes for people.
public enum ByteText {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// "61.2 GiB": three digits at most, powers of 1024.
    public static func text(_ bytes: Int) -> String {
        var value = abs(Double(bytes))
        var unit = 0
        // 999.5 would be shown as 1000.
        while value >= 999.5, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let sign = bytes < 0 ? "-" : ""
        if unit == 0 || value >= 99.95 { return "\(sign)\(Int(value.rounded())) \(units[unit])" }
        let tenths = Int((value * 10).rounded())
        return "\(sign)\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// With its sign: "+3.7 GiB", "-66.7 GiB", "0".
    public static func delta(_ bytes: Int) -> String {
        bytes == 0 ? "0" : (bytes > 0 ? "+" : "") + text(bytes)
    }
}
