extension ByteText {
    private static let factors: [(name: String, bytes: Double)] = [
        ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
        ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776),
        ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
    ]

    /// Reads a size: "10GiB", "500 MB", "10Gi" or plain bytes. Nil where it is none.
    public static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        if unit.isEmpty { return Int(text).flatMap { $0 >= 0 ? $0 : nil } }
        guard let value = Double(digits), let factor = factors.first(where: { $0.name == unit }),
            value * factor.bytes < 9e18
        else { return nil }
        return Int(value * factor.bytes)
    }
}
