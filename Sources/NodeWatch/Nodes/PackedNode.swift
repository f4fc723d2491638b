internal import KubeClient
package import WatchEngine

/// What is known of one node, in one allocation: about 180 bytes and 2 for each image, 4 once a
/// cluster has seen more than 65,536 images.
///
/// Immutable, and all but the resourceVersion, which moves with every heartbeat and therefore lives
/// beside the record. Texts that many nodes share are numbers of ``TextInterner``; a uid and a
/// bootID are 16 bytes where they are UUIDs; other texts are bytes in the tail. Strings are made
/// when they are asked for. A record holds its image ids: they stay valid as long as it lives.
package struct PackedNode: Sendable {
    // SAFETY: the storage is written only while it is made and immutable from then on.
    nonisolated(unsafe) let storage: PackedNodeStorage

    /// Packs an engine's node. Nil when it refers to an image that `table` does not know.
    package init?(_ node: plm_node, images table: ImageTable) {
        guard let storage = PackedNodeStorage.make(node, table) else { return nil }
        self.storage = storage
    }

    /// Whether both are the same record.
    package static func === (left: PackedNode, right: PackedNode) -> Bool {
        left.storage === right.storage
    }

    /// Whether a node just decoded says nothing that this record does not say, save for the
    /// resourceVersion.
    package func isSame(as node: borrowing plm_node, images table: ImageTable) -> Bool {
        storage.header.fingerprint == node.fingerprint && storage.header.table === table
    }

    /// Whether both say the same, whatever clients they came from.
    package func hasSameContent(as other: PackedNode) -> Bool {
        if self === other { return true }
        if storage.header.table === other.storage.header.table {
            return storage.header.fingerprint == other.storage.header.fingerprint
        }
        return storage.header.hasSameFixedFields(as: other.storage.header)
            && name == other.name
            && PackedText.common.allSatisfy { text($0) == other.text($0) }
            && furtherLabelTexts == other.furtherLabelTexts
            && hasSameImages(as: other)
    }

    /// Whether both list the same images in the same order.
    package func hasSameImages(as other: PackedNode) -> Bool {
        if self === other { return true }
        let isComparable = storage.header.table === other.storage.header.table
        guard storage.header.imageCount == other.storage.header.imageCount,
            flags.contains(.hasImages) == other.flags.contains(.hasImages)
        else { return false }
        return isComparable
            ? withImageIDs { left in other.withImageIDs { left.elementsEqual($0) } }
            : images == other.images
    }

    /// Whether both are the same object of the API server: a node that was deleted and made again
    /// has another uid.
    package func isSameObject(as other: PackedNode) -> Bool {
        storage.header.uid == other.storage.header.uid
            && (storage.header.uid != .zero || text(.uid) == other.text(.uid))
    }

    package var name: String { withName { String(decoding: $0, as: UTF8.self) } }
    package var imageCount: Int { Int(storage.header.imageCount) }
    package var images: [ContainerImage] {
        withImageIDs { storage.header.table.images($0) }
    }

    /// Lends the name's bytes.
    package func withName<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withUnsafeMutablePointerToElements { words in
            let start = UnsafeRawPointer(words + storage.header.imageWords)
            return body(
                UnsafeRawBufferPointer(start: start, count: Int(storage.header.nameLength)))
        }
    }

    /// Lends the image ids, in the order reported. They mean something in the record's image table
    /// only.
    package func withImageIDs<Result>(_ body: (UnsafeBufferPointer<UInt32>) -> Result) -> Result {
        storage.withUnsafeMutablePointers { $0.pointee.withImageIDs($1, body) }
    }

    /// What its image ids are ids of.
    var imageTable: ImageTable { storage.header.table }

    /// Keys of the labels that it keeps beyond those that all do.
    var furtherLabels: [String] { storage.header.table.furtherLabels }
    /// Their values, by key.
    var furtherLabelTexts: [String: String] {
        if furtherLabels.isEmpty { return [:] }
        let pairs = zip(furtherLabels, PackedText.furtherLabels).compactMap { key, field in
            text(field).map { (key, $0) }
        }
        return Dictionary(pairs) { first, _ in first }
    }

    var flags: PackedNodeFlags { storage.header.flags }
    var ready: NodeCondition { NodeCondition(storage.header.ready) }
    var diskPressure: NodeCondition { NodeCondition(storage.header.diskPressure) }
    var capacityBytes: Int? { Self.known(storage.header.capacityBytes) }
    var allocatableBytes: Int? { Self.known(storage.header.allocatableBytes) }
    var imageBytes: Int? {
        flags.contains(.hasImages) && !flags.contains(.imageBytesOverflow)
            ? Int(clamping: storage.header.imageBytes) : nil
    }

    /// One of the optional texts.
    func text(_ field: PackedText) -> String? {
        let header = storage.header
        switch field {
        case .uid where header.uid != .zero: return header.uid.string
        case .bootID where header.bootID != .zero: return header.bootID.string
        default: break
        }
        if let slot = field.internedSlot, header.interned[slot] != 0 {
            return TextInterner.shared.text(header.interned[slot])
        }
        guard header.inlineTexts & (1 << field.rawValue) != 0 else { return nil }
        return storage.withUnsafeMutablePointerToElements { words in
            var at = UnsafeRawPointer(words + header.imageWords) + Int(header.nameLength)
            for before in PackedText.allCases where before.rawValue < field.rawValue {
                if header.inlineTexts & (1 << before.rawValue) != 0 {
                    at += 4 + Int(at.loadUnaligned(as: UInt32.self))
                }
            }
            let count = Int(at.loadUnaligned(as: UInt32.self))
            return String(
                decoding: UnsafeRawBufferPointer(start: at + 4, count: count), as: UTF8.self)
        }
    }

    private static func known(_ value: Int64) -> Int? {
        value == PackedNodeHeader.unknownBytes ? nil : Int(clamping: value)
    }
}

/// The optional texts of a record, in the order of the tail.
enum PackedText: UInt16, CaseIterable {
    case uid, bootID, created, deleted, label0, label1, label2, label3, runtime, kubelet
    case label4, label5, label6, label7

    /// Those of labels that are kept on demand.
    static let furtherLabels: [Self] = [.label4, .label5, .label6, .label7]
    /// Those that mean the same in every record.
    static let common = allCases.filter { !furtherLabels.contains($0) }

    /// Place among the interned ones; nil for texts that differ from node to node.
    var internedSlot: Int? { (4...9).contains(rawValue) ? Int(rawValue) - 4 : nil }
}

struct PackedNodeFlags: OptionSet {
    var rawValue: UInt8
    static let unschedulable = Self(rawValue: 1)
    static let hasImages = Self(rawValue: 2)
    static let imageBytesOverflow = Self(rawValue: 4)
    /// Image ids take two bytes each.
    static let hasNarrowIDs = Self(rawValue: 8)
}

/// Numbers of the interned texts, in place.
struct InternedTexts {
    private var labels: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var versions: (UInt32, UInt32) = (0, 0)

    subscript(slot: Int) -> UInt32 {
        get {
            switch slot {
            case 0: labels.0
            case 1: labels.1
            case 2: labels.2
            case 3: labels.3
            case 4: versions.0
            default: versions.1
            }
        }
        set {
            switch slot {
            case 0: labels.0 = newValue
            case 1: labels.1 = newValue
            case 2: labels.2 = newValue
            case 3: labels.3 = newValue
            case 4: versions.0 = newValue
            default: versions.1 = newValue
            }
        }
    }
}

struct PackedNodeHeader {
    static let unknownBytes = Int64.min

    var table: ImageTable
    var fingerprint: UInt64
    var uid: PackedUUID
    var bootID: PackedUUID
    var imageBytes: Int64
    var capacityBytes: Int64
    var allocatableBytes: Int64
    var interned: InternedTexts
    var imageCount: UInt32
    var nameLength: UInt32
    var inlineTexts: UInt16
    var flags: PackedNodeFlags
    var ready: UInt8
    var diskPressure: UInt8

    /// Words that the image ids take.
    var imageWords: Int {
        flags.contains(.hasNarrowIDs) ? (Int(imageCount) + 1) / 2 : Int(imageCount)
    }

    /// Lends the image ids of a tail.
    func withImageIDs<Result>(
        _ words: UnsafeMutablePointer<UInt32>, _ body: (UnsafeBufferPointer<UInt32>) -> Result
    ) -> Result {
        let count = Int(imageCount)
        guard flags.contains(.hasNarrowIDs) else {
            return body(UnsafeBufferPointer(start: words, count: count))
        }
        let narrow = UnsafeRawBufferPointer(start: words, count: 2 * count)
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { ids in
            for index in 0..<count {
                ids.initializeElement(
                    at: index, to: UInt32(narrow.load(fromByteOffset: 2 * index, as: UInt16.self)))
            }
            return body(UnsafeBufferPointer(ids))
        }
    }

    func hasSameFixedFields(as other: PackedNodeHeader) -> Bool {
        uid == other.uid && bootID == other.bootID && imageBytes == other.imageBytes
            && capacityBytes == other.capacityBytes && allocatableBytes == other.allocatableBytes
            && flags.subtracting(.hasNarrowIDs) == other.flags.subtracting(.hasNarrowIDs)
            && ready == other.ready && diskPressure == other.diskPressure
    }
}

/// Tail: image ids (two a word where they are narrow), the name, then each inline text with its length (UInt32) before it.
final class PackedNodeStorage: ManagedBuffer<PackedNodeHeader, UInt32> {
    deinit {
        withUnsafeMutablePointers { header, words in
            let table = header.pointee.table
            header.pointee.withImageIDs(words) { table.release($0) }
        }
    }

    static func make(_ node: plm_node, _ table: ImageTable) -> PackedNodeStorage? {
        let ids = UnsafeBufferPointer(start: node.image_ids, count: node.image_count)
        guard table.retain(ids) else { return nil }

        var header = PackedNodeHeader(
            table: table, fingerprint: node.fingerprint,
            uid: PackedUUID(node.uid.raw) ?? .zero, bootID: PackedUUID(node.boot_id.raw) ?? .zero,
            imageBytes: node.image_bytes,
            capacityBytes: bytes(node.capacity_ephemeral_storage),
            allocatableBytes: bytes(node.allocatable_ephemeral_storage),
            interned: InternedTexts(),
            imageCount: UInt32(ids.count), nameLength: UInt32(node.name.length), inlineTexts: 0,
            flags: [], ready: UInt8(node.ready.rawValue),
            diskPressure: UInt8(node.disk_pressure.rawValue))
        if node.unschedulable { header.flags.insert(.unschedulable) }
        if node.has_images { header.flags.insert(.hasImages) }
        if node.image_bytes_overflow { header.flags.insert(.imageBytesOverflow) }
        if ids.allSatisfy({ $0 <= UInt16.max }) { header.flags.insert(.hasNarrowIDs) }

        var tailBytes = node.name.length
        func keep(_ field: PackedText, _ text: plm_text, isPacked: Bool = false) {
            guard text.bytes != nil, !isPacked else { return }
            if let slot = field.internedSlot {
                header.interned[slot] = TextInterner.shared.id(of: text.raw)
                if header.interned[slot] != 0 { return }
            }
            header.inlineTexts |= 1 << field.rawValue
            tailBytes += 4 + text.length
        }
        keep(.uid, node.uid, isPacked: header.uid != .zero)
        keep(.bootID, node.boot_id, isPacked: header.bootID != .zero)
        keep(.created, node.creation_timestamp)
        keep(.deleted, node.deletion_timestamp)
        keep(.label0, node.labels.0)
        keep(.label1, node.labels.1)
        keep(.label2, node.labels.2)
        keep(.label3, node.labels.3)
        keep(.runtime, node.container_runtime_version)
        keep(.kubelet, node.kubelet_version)
        keep(.label4, node.labels.4)
        keep(.label5, node.labels.5)
        keep(.label6, node.labels.6)
        keep(.label7, node.labels.7)

        let finished = header
        let buffer = create(minimumCapacity: finished.imageWords + (tailBytes + 3) / 4) { _ in
            finished
        }
        buffer.withUnsafeMutablePointerToElements { words in
            if finished.flags.contains(.hasNarrowIDs) {
                let narrow = UnsafeMutableRawPointer(words)
                for (index, id) in ids.enumerated() {
                    narrow.storeBytes(of: UInt16(id), toByteOffset: 2 * index, as: UInt16.self)
                }
            } else if let base = ids.baseAddress {
                words.initialize(from: base, count: ids.count)
            }
            var at = UnsafeMutableRawPointer(words + finished.imageWords)
            func append(_ bytes: UnsafeRawBufferPointer) {
                UnsafeMutableRawBufferPointer(start: at, count: bytes.count).copyMemory(from: bytes)
                at += bytes.count
            }
            func appendText(_ field: PackedText, _ text: plm_text) {
                guard finished.inlineTexts & (1 << field.rawValue) != 0 else { return }
                at.storeBytes(of: UInt32(text.length), as: UInt32.self)
                at += 4
                append(text.raw)
            }
            append(node.name.raw)
            appendText(.uid, node.uid)
            appendText(.bootID, node.boot_id)
            appendText(.created, node.creation_timestamp)
            appendText(.deleted, node.deletion_timestamp)
            appendText(.label0, node.labels.0)
            appendText(.label1, node.labels.1)
            appendText(.label2, node.labels.2)
            appendText(.label3, node.labels.3)
            appendText(.runtime, node.container_runtime_version)
            appendText(.kubelet, node.kubelet_version)
            appendText(.label4, node.labels.4)
            appendText(.label5, node.labels.5)
            appendText(.label6, node.labels.6)
            appendText(.label7, node.labels.7)
        }
        return unsafeDowncast(buffer, to: PackedNodeStorage.self)
    }

    private static func bytes(_ text: plm_text) -> Int64 {
        guard text.bytes != nil, let value = Quantity.bytes(text.raw) else {
            return PackedNodeHeader.unknownBytes
        }
        return Int64(value)
    }
}

/// A UUID in its usual form, 16 bytes; the zero UUID stands for none.
struct PackedUUID: Equatable {
    static let zero = PackedUUID(high: 0, low: 0)

    var high: UInt64
    var low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil unless the text is exactly what `string` would give back.
    init?(_ text: UnsafeRawBufferPointer) {
        guard text.count == 36 else { return nil }
        var parts: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for (position, byte) in text.enumerated() {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            if digits < 16 {
                parts.0 = parts.0 << 4 | UInt64(digit)
            } else {
                parts.1 = parts.1 << 4 | UInt64(digit)
            }
            digits += 1
        }
        self.init(high: parts.0, low: parts.1)
    }

    var string: String {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                text.append(UInt8(ascii: "-"))
            }
            let half = nibble < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: half >> UInt64((15 - nibble % 16) * 4)) & 15
            text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
