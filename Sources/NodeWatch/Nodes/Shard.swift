package import WatchEngine

/// One of several equal parts of a cluster's objects, for watchers that share the work: the second of
/// four is `Shard(2, of: 4)`.
///
/// An object belongs to a shard by its uid: the range of 64-bit FNV-1a hashes is cut into equal parts. That
/// is how the API server's own `shardSelector` divides (KEP-5866, alpha in Kubernetes 1.36), so a server
/// that knows it sends one part only. From one that does not, all comes, and what belongs to others is
/// skipped as soon as its uid has been read.
public struct Shard: Sendable, Hashable, CustomStringConvertible {
    /// Most shards that a cluster can be cut into.
    public static let mostShards = 65_536

    /// Which one, from 1.
    public let number: Int
    /// Of how many.
    public let count: Int

    /// Makes a shard; nil unless `1 <= number <= count <= mostShards`.
    public init?(_ number: Int, of count: Int) {
        guard (1...Self.mostShards).contains(count), (1...count).contains(number) else {
            return nil
        }
        self.number = number
        self.count = count
    }

    /// Reads "2/4"; nil where that is no shard.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1] else { return nil }
        self.init(number, of: count)
    }

    /// "2/4".
    public var description: String { "\(number)/\(count)" }

    /// The hashes that belong to it.
    public var range: ClosedRange<UInt64> {
        begin(number - 1)...(number == count ? .max : begin(number) - 1)
    }

    /// Where the part of that index, below `count`, begins.
    private func begin(_ index: Int) -> UInt64 {
        UInt64(count).dividingFullWidth((UInt64(index), 0)).quotient
    }

    /// As `shardSelector` takes it: from the first hash to the one after the last.
    var selector: String {
        let end = number == count ? "10000000000000000" : Self.hex(begin(number))
        return "shardRange(object.metadata.uid, '0x\(Self.hex(begin(number - 1)))', '0x\(end)')"
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    package var engine: plm_shard {
        // All zeros stand for everything, which the only shard of one is.
        count == 1 ? plm_shard() : plm_shard(first: range.lowerBound, last: range.upperBound)
    }
}
