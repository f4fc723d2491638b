/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same cluster everywhere.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Starts the sequence of `seed`.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// One of several, each as often as it weighs. Nil of none.
    package mutating func choice<Item>(of items: [Item], weight: (Item) -> Int) -> Item? {
        let total = items.reduce(0) { $0 + weight($1) }
        guard total > 0 else { return nil }
        var left = Int(next() % UInt64(total))
        return items.first { item in
            left -= weight(item)
            return left < 0
        }
    }

    /// So many lower-case hexadecimal digits.
    mutating func hex(_ digits: Int) -> String {
        var text = ""
        while text.utf8.count < digits {
            let part = String(next(), radix: 16)
            text += String(repeating: "0", count: 16 - part.utf8.count) + part
        }
        return String(text.prefix(digits))
    }

    /// A random UUID (version 4).
    mutating func uuid() -> String {
        let digits = hex(30)
        func part(_ from: Int, _ count: Int) -> Substring { digits.dropFirst(from).prefix(count) }
        return "\(part(0, 8))-\(part(8, 4))-4\(part(12, 3))-a\(part(15, 3))-\(part(18, 12))"
    }
}
