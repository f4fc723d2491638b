public import NodeWatch

/// Which images a list has that another has not.
///
/// Two entries are the same image when they share a digest; where one of them has none, when they
/// have the same size and a name in common. So another tag on the same digest, another order and
/// another spelling are no difference, and a tag-only image under a new tag is one.
public struct ImageSetDifference: Sendable, Hashable {
    /// Images that came.
    public var added: [ContainerImage]
    /// Images that went.
    public var removed: [ContainerImage]

    /// Nothing came and nothing went.
    public var isEmpty: Bool { added.isEmpty && removed.isEmpty }

    /// Compares two lists.
    public init(from old: [ContainerImage], to new: [ContainerImage]) {
        var left = old
        var right = new
        // Equal entries first, by far the most.
        Self.pair(&left, &right) { [$0] }
        if !left.isEmpty, !right.isEmpty { Self.pair(&left, &right, by: Self.digests) }
        if !left.isEmpty, !right.isEmpty {
            Self.pairByName(&left, &right)
        }
        removed = left
        added = right
    }

    /// Takes out what cannot be known of lists that were cut at the kubelet's cap: an image that is
    /// no longer listed, but would be too small to be listed now, may be there still; and one that
    /// was too small to be listed before may have been there all along.
    mutating func discountTruncation(from old: TruncatedList, to new: TruncatedList) {
        if new.isTruncated { removed.removeAll { $0.sizeBytes <= new.smallestBytes } }
        if old.isTruncated { added.removeAll { $0.sizeBytes <= old.smallestBytes } }
    }

    /// What matters of a list about truncation.
    struct TruncatedList {
        var isTruncated: Bool
        /// Size of its smallest entry, in bytes.
        var smallestBytes: Int
    }

    /// Takes pairs with a key in common out of both lists.
    private static func pair<Key: Hashable>(
        _ left: inout [ContainerImage], _ right: inout [ContainerImage],
        by keys: (ContainerImage) -> [Key]
    ) {
        var places: [Key: [Int]] = [:]
        for (index, image) in left.enumerated().reversed() {
            for key in keys(image) { places[key, default: []].append(index) }
        }
        var taken = Set<Int>()
        right.removeAll { image in
            for key in keys(image) {
                while let place = places[key]?.popLast() {
                    if taken.insert(place).inserted { return true }
                }
            }
            return false
        }
        left = left.enumerated().filter { !taken.contains($0.offset) }.map(\.element)
    }

    /// Pairs of which one has no digest: same size and a name in common.
    private static func pairByName(
        _ left: inout [ContainerImage], _ right: inout [ContainerImage]
    ) {
        right.removeAll { image in
            let names = Set(image.names)
            let hasDigest = image.digest != nil
            let place = left.firstIndex { other in
                other.sizeBytes == image.sizeBytes && !(hasDigest && other.digest != nil)
                    && other.names.contains(where: names.contains)
            }
            guard let place else { return false }
            left.remove(at: place)
            return true
        }
    }

    private static func digests(_ image: ContainerImage) -> [String] {
        image.names.compactMap { name in
            name.firstIndex(of: "@").map { String(name[name.index(after: $0)...]) }
        }.filter { $0 != "<none>" }
    }
}
