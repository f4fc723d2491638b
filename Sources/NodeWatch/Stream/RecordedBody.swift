package import KubeClient
import WatchEngine

/// Decodes a response body that was recorded earlier: a watch stream, a list or a single node.
package struct RecordedBody: ~Copyable {
    /// What the body says in the end.
    package struct Summary: Sendable {
        /// Watch events; 0 for a list.
        package var events = 0
        /// Nodes that are left, by name: a deletion takes one away.
        package var nodes = 0
        /// Image entries of those nodes.
        package var images = 0
        /// Distinct entries (names and size) among them.
        package var uniqueImages = 0
        /// Sum of the sizes in bytes; nil where it does not fit in 64 bits.
        package var imageBytes: Int?
        /// The body is a watch that was cut inside an event.
        package var endsInObject = false
        /// Objects that could not be used, one line each.
        package var rejections: [String] = []
        /// An error the server sent, in place of a body or in it.
        package var status: KubeStatus?

        package init() {}
    }

    private let bytes: [UInt8]
    private let chunkBytes: Int
    private let client: EngineClient
    private let images = ImageTable()
    private let isStrict: Bool
    private let wireFormat: WireFormat

    /// Takes a body to decode in chunks of so many bytes.
    ///
    /// - Throws: `memory`.
    package init(
        _ bytes: [UInt8], chunkBytes: Int, strict: Bool = false,
        wireFormat: WireFormat = .automatic, limits: DecodingLimits = DecodingLimits()
    ) throws(KubeError) {
        self.bytes = bytes
        self.chunkBytes = max(1, chunkBytes)
        isStrict = strict
        self.wireFormat = wireFormat
        client = try .forDecoding(limits: limits)
    }

    /// Decodes the body from its start. The images known from an earlier pass stay known.
    ///
    /// - Throws: `malformed`, `truncated`, `notKubernetes`, `limit`, `memory`.
    package func decode() throws(KubeError) -> Summary {
        let decoder = NodeLabels.withProjection(isStrict: isStrict, format: wireFormat) {
            plm_decoder_create(client.handle, $0)
        }
        guard let decoder else { throw .outOfMemory }
        defer { plm_decoder_destroy(decoder) }

        var state = Pass(images: images)
        var at = 0
        while at < bytes.count {
            var batch = plm_batch()
            let count = min(chunkBytes, bytes.count - at)
            bytes.withUnsafeBytes { bytes in
                let start = bytes.baseAddress! + at
                _ = plm_decoder_feed(
                    decoder, start.assumingMemoryBound(to: CChar.self), count, &batch)
            }
            at += count
            try state.apply(batch)
        }
        var batch = plm_batch()
        _ = plm_decoder_finish(decoder, &batch)
        try state.apply(batch)
        return state.finish()
    }

    /// One reading of the body.
    private struct Pass {
        let images: ImageTable
        var summary = Summary()
        var nodes = NodeTable()

        init(images: ImageTable) { self.images = images }

        mutating func apply(_ batch: plm_batch) throws(KubeError) {
            // In a file the later event counts, whatever its resourceVersion.
            let version = ResourceVersion.text("")
            for event in UnsafeBufferPointer(start: batch.events, count: batch.count) {
                switch event.kind {
                case .image: images.define(event.image)
                case .added, .modified:
                    summary.events += 1
                    _ = nodes.apply(event.node, version: version, images: images, seen: 0)
                case .deleted:
                    summary.events += 1
                    _ = nodes.delete(event.node, version: version, images: images)
                case .bookmark, .skipped, .unknown: summary.events += 1
                case .status:
                    summary.events += 1
                    summary.status = KubeStatus(event.status)
                case .rejected:
                    let name = event.rejection.name.string.map { "node \($0): " } ?? ""
                    summary.rejections.append(name + (event.rejection.reason.string ?? ""))
                case .failure: throw KubeError(event.failure)
                case .end:
                    summary.endsInObject = event.end.in_object
                    if !event.end.is_watch { summary.events = 0 }
                case .head, .list: break
                }
            }
        }

        mutating func finish() -> Summary {
            var unique: Set<UInt32> = []
            var bytes: Int? = 0
            for entry in nodes.entries {
                let node = entry.summary
                summary.images += node.imageCount
                entry.record.withImageIDs { unique.formUnion($0) }
                guard node.hasImageList, let sum = bytes else { continue }
                let added = node.imageBytes.map { sum.addingReportingOverflow($0) }
                bytes = added.flatMap { $0.overflow ? nil : $0.partialValue }
            }
            summary.nodes = nodes.count
            summary.uniqueImages = unique.count
            summary.imageBytes = bytes
            return summary
        }
    }
}

extension ImageTable {
    /// Takes over a definition of the engine's.
    func define(_ image: plm_image) {
        let names = UnsafeBufferPointer(start: image.names, count: image.name_count)
        withUnsafeTemporaryAllocation(
            of: UnsafeRawBufferPointer.self, capacity: names.count
        ) { raw in
            _ = raw.initialize(from: names.lazy.map(\.raw))
            define(
                image.id,
                ContainerImage(names: UnsafeBufferPointer(raw), sizeBytes: image.size_bytes))
        }
    }
}
