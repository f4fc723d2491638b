import KubeClient
import Synchronization

/// Strings that many nodes share (pools, zones, versions), each kept once and known by a number.
///
/// There is one for the process. It never forgets, so it is bounded: a text that comes after
/// `capacity` others is not taken, and its node keeps the text itself.
final class TextInterner: Sendable {
    static let shared = TextInterner(capacity: 65_536)

    private struct State {
        var texts: [String] = []
        var index = ByteIndex()
    }

    private let state = Locked(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// The number of a text, from 1; 0 when it is full or the text is unusually long.
    func id(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard bytes.count <= 256 else { return 0 }
        let hash = ByteIndex.hash(bytes)
        return state.withLock { state in
            let found = state.index.find(hash) { slot in
                state.texts[slot].hasSameBytes(as: bytes)
            }
            if let found { return UInt32(found + 1) }
            guard state.texts.count < capacity else { return 0 }
            state.texts.append(String(decoding: bytes, as: UTF8.self))
            state.index.insert(hash, state.texts.count - 1)
            return UInt32(state.texts.count)
        }
    }

    /// The text of a number that `id(of:)` gave.
    func text(_ id: UInt32) -> String { state.withLock { $0.texts[Int(id) - 1] } }
}

/// Open addressing from a hash to a position in an array that its owner keeps.
struct ByteIndex: Sendable {
    /// 0: free. Otherwise the position + 1 in the low half, the hash's top bits in the high half.
    private var slots: [UInt64] = Array(repeating: 0, count: 16)
    private(set) var count = 0

    /// Seeded for each process, so names chosen by an enemy do not collide.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// The position whose hash is equal and that `matches`.
    func find(_ hash: UInt32, _ matches: (Int) -> Bool) -> Int? {
        let mask = slots.count - 1
        var at = Int(hash) & mask
        while slots[at] != 0 {
            if UInt32(slots[at] >> 32) == hash {
                let position = Int(UInt32(truncatingIfNeeded: slots[at])) - 1
                if matches(position) { return position }
            }
            at = (at + 1) & mask
        }
        return nil
    }

    /// Adds a position that is not there.
    mutating func insert(_ hash: UInt32, _ position: Int) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        put(hash, position)
        count += 1
    }

    /// Takes a position out, closing the gap so that no tombstones pile up.
    mutating func remove(_ hash: UInt32, _ position: Int) {
        guard var hole = slot(hash, position) else { return }
        let mask = slots.count - 1
        slots[hole] = 0
        count -= 1
        var at = (hole + 1) & mask
        while slots[at] != 0 {
            let home = Int(UInt32(slots[at] >> 32)) & mask
            // Whether the hole lies on the way from the entry's home to where it is.
            if (at - home) & mask >= (at - hole) & mask {
                slots[hole] = slots[at]
                slots[at] = 0
                hole = at
            }
            at = (at + 1) & mask
        }
    }

    /// Says that what was at one position is now at another.
    mutating func move(_ hash: UInt32, from old: Int, to new: Int) {
        guard let at = slot(hash, old) else { return }
        slots[at] = UInt64(hash) << 32 | UInt64(UInt32(new + 1))
    }

    private func slot(_ hash: UInt32, _ position: Int) -> Int? {
        let wanted = UInt64(hash) << 32 | UInt64(UInt32(position + 1))
        let mask = slots.count - 1
        var at = Int(hash) & mask
        while slots[at] != 0 {
            if slots[at] == wanted { return at }
            at = (at + 1) & mask
        }
        return nil
    }

    private mutating func put(_ hash: UInt32, _ position: Int) {
        let mask = slots.count - 1
        var at = Int(hash) & mask
        while slots[at] != 0 { at = (at + 1) & mask }
        slots[at] = UInt64(hash) << 32 | UInt64(UInt32(position + 1))
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: old.count * 2)
        for slot in old where slot != 0 {
            put(UInt32(slot >> 32), Int(UInt32(truncatingIfNeeded: slot)) - 1)
        }
    }
}

extension String {
    /// Whether its UTF-8 is these bytes.
    fileprivate func hasSameBytes(as bytes: UnsafeRawBufferPointer) -> Bool {
        utf8.withContiguousStorageIfAvailable {
            UnsafeRawBufferPointer($0).hasSameBytes(as: bytes)
        } ?? utf8.elementsEqual(bytes)
    }
}
