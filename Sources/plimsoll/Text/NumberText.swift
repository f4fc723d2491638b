import ImageAlerts
import KubeClient

/// Numbers for people.
enum NumberText {
    /// "5,000".
    static func grouped(_ number: Int) -> String {
        number.grouped
    }

    /// Bytes that went over a network: "63 MB", powers of 1000.
    static func bytes(_ count: Int) -> String {
        var value = Double(count)
        let units = ["B", "kB", "MB", "GB", "TB"]
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 || value >= 9.95
            ? "\(Int(value.rounded())) \(units[unit])" : "\(tenths(value)) \(units[unit])"
    }

    /// "7 ms", "0.6 s", "12 s", "4 min".
    static func seconds(_ duration: Duration) -> String {
        let value = duration / .seconds(1)
        if value < 0.0995 { return "\(Int((value * 1000).rounded())) ms" }
        if value < 9.95 { return "\(tenths(value)) s" }
        return value < 120 ? "\(Int(value.rounded())) s" : "\(Int((value / 60).rounded())) min"
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension WireFormat {
    /// As people write it.
    var name: String {
        switch self {
        case .automatic: "any format"
        case .json: "JSON"
        case .protobuf: "protobuf"
        }
    }
}
