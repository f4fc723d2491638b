/// Other names of the same length and look, the same one for the same name: letters for letters, digits for
/// digits, and what is in between stays. So a recording keeps its lengths, what is equal stays equal, and
/// what is sorted out by its form (digests, tags, repositories) is sorted out as before.
///
/// They are drawn by chance, and which is whose is known to this object alone: nothing leads back once it
/// is gone. Belongs to one thread.
struct Pseudonyms {
    /// With fewer letters and digits two names might get the same pseudonym: those are kept apart by a table.
    private static let leastUnlikely = 12
    /// Further short names may get one that another has.
    private static let mostKept = 1 << 20
    /// Parts of names that say nothing of whose they are.
    private static let kept: Set<[UInt8]> = Set(
        ["sha256", "sha512", "none", "true", "false"].map { Array($0.utf8) })

    private let key = (UInt64.random(in: 0...(.max)), UInt64.random(in: 0...(.max)))
    private var short: [[UInt8]: [UInt8]] = [:]
    private var taken: Set<[UInt8]> = []

    /// Puts pseudonyms in the place of the parts of a text.
    mutating func replace(_ text: inout [UInt8], in range: Range<Int>? = nil) {
        let range = range ?? text.indices
        var start = range.lowerBound
        var at = start
        while true {
            if at == range.upperBound || Self.isSeparator(text[at]) {
                replacePart(&text, start..<at)
                start = at + 1
            }
            if at == range.upperBound { return }
            at += 1
        }
    }

    /// What a text becomes.
    mutating func of(_ text: String) -> String {
        var bytes = Array(text.utf8)
        replace(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func replacePart(_ text: inout [UInt8], _ range: Range<Int>) {
        let part = Array(text[range])
        let changing = part.count { Self.isChanged($0) }
        if changing == 0 || Self.kept.contains(part) { return }
        if let known = short[part] {
            text.replaceSubrange(range, with: known)
            return
        }
        var made = drawn(part, 0)
        if changing < Self.leastUnlikely, short.count < Self.mostKept {
            var attempt = 0
            while taken.contains(made) || made == part, attempt < 64 {
                attempt += 1
                made = drawn(part, attempt)
            }
            short[part] = made
            taken.insert(made)
        }
        text.replaceSubrange(range, with: made)
    }

    /// The same for the same part and attempt, as far as this object goes.
    private func drawn(_ part: [UInt8], _ attempt: Int) -> [UInt8] {
        var chance: UInt64 = 0
        var left = 0
        var block = 0
        func next(_ bound: UInt64) -> UInt8 {
            if left == 0 {
                var hasher = Hasher()
                hasher.combine(key.0)
                hasher.combine(attempt)
                hasher.combine(block)
                part.withUnsafeBytes { hasher.combine(bytes: $0) }
                hasher.combine(key.1)
                chance = UInt64(truncatingIfNeeded: hasher.finalize())
                (left, block) = (8, block + 1)
            }
            left -= 1
            defer { chance /= bound }
            return UInt8(chance % bound)
        }
        let letters: UInt64 = Self.isHexadecimal(part) ? 6 : 26
        return part.map { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt8(ascii: "0") + next(10)
            case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt8(ascii: "a") + next(letters)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt8(ascii: "A") + next(letters)
            case 0x80...: UInt8(ascii: "x")
            default: byte
            }
        }
    }

    /// Digests and uids stay such.
    private static func isHexadecimal(_ part: [UInt8]) -> Bool {
        part.count >= 16
            && part.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "a")...UInt8(ascii: "f"):
                    true
                default: false
                }
            }
    }

    private static func isChanged(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x80...:
            true
        default: false
        }
    }

    /// What stands between the parts of a name: a registry and a repository, a repository and a tag.
    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"): false
        default: !isChanged(byte)
        }
    }
}
