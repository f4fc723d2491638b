/// `shardSelector` of a request: a range of hashes of uids, as KEP-5866 has it.
struct ShardRange: Sendable {
    /// As it was asked for.
    let text: String
    private let start: UInt64
    /// Not included; nil: to the last.
    private let end: UInt64?

    /// Reads "shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')".
    init(_ text: String) throws(InvalidSelector) {
        self.text = text
        let prefix = "shardRange("
        guard text.hasPrefix(prefix), text.hasSuffix(")") else {
            throw Self.invalid("expected shardRange(field, 'hexStart', 'hexEnd')")
        }
        let parts = text.dropFirst(prefix.count).dropLast().split(separator: ",")
            .map { $0.trimmingSpaces() }
        guard parts.count == 3, parts[0] == "object.metadata.uid" else {
            throw Self.invalid("unsupported field")
        }
        start = try Self.number(parts[1], "hexStart") ?? 0
        end = try Self.number(parts[2], "hexEnd")
    }

    /// A quoted hexadecimal number; nil for 2^64.
    private static func number(_ quoted: Substring, _ name: String) throws(InvalidSelector)
        -> UInt64?
    {
        guard quoted.count >= 2, quoted.first == "'", quoted.last == "'" else {
            throw invalid("\(name) must be a quoted string")
        }
        let text = quoted.dropFirst().dropLast()
        guard text.hasPrefix("0x") else {
            throw invalid("\(name) must have '0x' prefix, got \"\(text)\"")
        }
        let digits = text.dropFirst(2)
        if digits == "10000000000000000" { return nil }
        guard let value = UInt64(digits, radix: 16) else {
            throw invalid("\(name) is no number of 64 bits")
        }
        return value
    }

    private static func invalid(_ what: String) -> InvalidSelector {
        InvalidSelector(message: "invalid shard selector: \(what)", isInternal: true)
    }

    func contains(uid: String) -> Bool {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in uid.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        return hash >= start && end.map { hash < $0 } ?? true
    }
}
