/// One container image as a kubelet reports it in `status.images`: its names and its size.
///
/// The names are the image's digests first, then its tags, cut to five by the kubelet
/// (`MaxNamesPerImageInNodeStatus` in pkg/kubelet/nodestatus/setters.go). The node's API carries no
/// image id. Two values are equal when they have the same names in the same order and the same size.
///
/// A value is one reference to packed bytes; strings are made when they are asked for. Values may
/// be used from any thread and kept for any time.
public struct ContainerImage: Sendable, Hashable {
    // SAFETY: the storage is written only while it is made and immutable from then on.
    nonisolated(unsafe) private let storage: ContainerImageStorage

    /// Makes an image from its parts.
    ///
    /// - Parameters:
    ///   - names: Names as a kubelet would report them.
    ///   - sizeBytes: Size in bytes.
    public init(names: [String], sizeBytes: Int) {
        let texts = names.map { Array($0.utf8) }
        storage = .make(count: texts.count, byteCount: texts.reduce(0) { $0 + $1.count }) { index in
            texts[index].count
        } bytes: { index, target in
            target.copyBytes(from: texts[index])
        } sizeBytes: {
            Int64(sizeBytes)
        }
    }

    /// Makes an image from borrowed bytes.
    init(names: UnsafeBufferPointer<UnsafeRawBufferPointer>, sizeBytes: Int64) {
        storage = .make(count: names.count, byteCount: names.reduce(0) { $0 + $1.count }) { index in
            names[index].count
        } bytes: { index, target in
            target.copyMemory(from: names[index])
        } sizeBytes: {
            sizeBytes
        }
    }

    /// Its names in the order reported: digests, then tags. May be empty.
    public var names: [String] {
        (0..<nameCount).map { index in
            withName(at: index) { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Size in bytes as the container runtime counts it (see ``ImageSizeBasis``); 0 where the
    /// server left it out.
    public var sizeBytes: Int { Int(clamping: storage.header.sizeBytes) }

    /// The name to show: the first tag, in its absence the first digest, without a digest that
    /// follows a tag. `<none>` for an image without a usable name.
    public var displayName: String {
        var digested: String?
        for name in names {
            let reference = ImageReference(name)
            if let tag = reference.tag, tag != "<none>", reference.repository != "<none>" {
                return "\(reference.repository):\(tag)"
            }
            if digested == nil, let digest = reference.digest, digest != "<none>" {
                digested =
                    reference.repository == "<none>"
                    ? digest : "\(reference.repository)@\(digest)"
            } else if digested == nil, reference.digest == nil, reference.tag == nil, !name.isEmpty
            {
                digested = name
            }
        }
        return digested ?? "<none>"
    }

    /// The first digest among the names ("sha256:…"), if any.
    public var digest: String? {
        for name in names {
            if let digest = ImageReference(name).digest, digest != "<none>" { return digest }
        }
        return nil
    }

    /// The repository of ``displayName`` without tag and digest ("ghcr.io/shop/cart"), if any.
    public var repository: String? {
        let shown = ImageReference(displayName).repository
        return shown == "<none>" || shown.hasPrefix("sha256:") || shown == "sha256" ? nil : shown
    }

    /// How many names it has.
    var nameCount: Int { Int(storage.header.nameCount) }

    /// Lends the bytes of one name.
    func withName<Result>(at index: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withUnsafeMutablePointerToElements { words in
            var offset = 0
            for before in 0..<index { offset += Int(words[before]) }
            let bytes = UnsafeRawPointer(words + nameCount) + offset
            return body(UnsafeRawBufferPointer(start: bytes, count: Int(words[index])))
        }
    }

    /// See `Equatable`.
    public static func == (left: Self, right: Self) -> Bool {
        if left.storage === right.storage { return true }
        let (a, b) = (left.storage.header, right.storage.header)
        guard a.sizeBytes == b.sizeBytes, a.nameCount == b.nameCount, a.byteCount == b.byteCount
        else { return false }
        return left.storage.withTail { leftTail in
            right.storage.withTail { rightTail in leftTail.hasSameBytes(as: rightTail) }
        }
    }

    /// See `Hashable`.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(storage.header.sizeBytes)
        storage.withTail { hasher.combine(bytes: $0) }
    }
}

extension ContainerImage: CustomStringConvertible {
    /// The display name and the size in bytes.
    public var description: String { "\(displayName) (\(sizeBytes) bytes)" }
}

/// A name split at its tag and digest: `repository[:tag][@digest]`.
package struct ImageReference {
    package var repository: String
    package var tag: String?
    package var digest: String?

    package init(_ name: String) {
        var rest = name[...]
        if let at = rest.firstIndex(of: "@") {
            digest = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        // A colon before the last slash belongs to the registry's port.
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/"),
            !rest.hasPrefix("sha256:")
        {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        repository = String(rest)
    }
}

struct ContainerImageHeader {
    var sizeBytes: Int64
    var nameCount: UInt32
    var byteCount: UInt32
}

/// Tail: one length (UInt32) a name, then the names' bytes.
final class ContainerImageStorage: ManagedBuffer<ContainerImageHeader, UInt32> {
    static func make(
        count: Int, byteCount: Int, length: (Int) -> Int,
        bytes: (Int, UnsafeMutableRawBufferPointer) -> Void, sizeBytes: () -> Int64
    ) -> ContainerImageStorage {
        let header = ContainerImageHeader(
            sizeBytes: sizeBytes(), nameCount: UInt32(count), byteCount: UInt32(byteCount))
        let buffer = create(minimumCapacity: count + (byteCount + 3) / 4) { _ in header }
        buffer.withUnsafeMutablePointerToElements { words in
            var target = UnsafeMutableRawPointer(words + count)
            for index in 0..<count {
                let size = length(index)
                words[index] = UInt32(size)
                bytes(index, UnsafeMutableRawBufferPointer(start: target, count: size))
                target += size
            }
        }
        return unsafeDowncast(buffer, to: ContainerImageStorage.self)
    }

    /// Lengths and bytes, what two equal images have in common.
    func withTail<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let count = Int(header.nameCount) * 4 + Int(header.byteCount)
        return withUnsafeMutablePointerToElements {
            body(UnsafeRawBufferPointer(start: $0, count: count))
        }
    }
}
