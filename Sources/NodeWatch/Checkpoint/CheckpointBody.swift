import KubeClient
import WatchEngine

/// Nodes as bytes: each image once, and nodes that refer to them.
package enum CheckpointBody {
    private static let unschedulable: UInt8 = 1
    private static let hasImages: UInt8 = 2

    // MARK: Writing

    package static func bytes(_ table: NodeTable) -> [UInt8] {
        // By where they come from: records of two tables may have the same, which is then written twice.
        var entries = ImagePlaces()
        var images: [ContainerImage] = []
        var places: [UInt32] = []
        var nodes = ByteWriter()
        for entry in table.entries {
            append(entry, &nodes)
            places.removeAll(keepingCapacity: true)
            entries.append(of: entry.record, to: &places) { image in
                images.append(image)
                return UInt32(images.count - 1)
            }
            nodes.append(UInt32(places.count))
            for place in places { nodes.append(place) }
        }
        var body = ByteWriter()
        let labels = table.entries.first?.record.furtherLabels ?? []
        body.append(UInt32(labels.count))
        for label in labels { body.append(label) }
        body.append(UInt32(images.count))
        for image in images {
            body.append(Int64(image.sizeBytes))
            body.append(UInt32(image.nameCount))
            for index in 0..<image.nameCount { image.withName(at: index) { body.append($0) } }
        }
        body.append(UInt32(table.count))
        return body.bytes + nodes.bytes
    }

    private static func append(_ entry: NodeTable.Entry, _ out: inout ByteWriter) {
        let (record, node) = (entry.record, entry.summary)
        record.withName { out.append($0) }
        out.append(entry.version.string)
        for field in PackedText.allCases { out.append(record.text(field)) }
        out.append(node.capacityBytes.map { "\($0)" })
        out.append(node.allocatableBytes.map { "\($0)" })
        out.append(UInt8(record.ready.engine.rawValue))
        out.append(UInt8(record.diskPressure.engine.rawValue))
        out.append(
            (node.isUnschedulable ? unschedulable : 0) | (node.hasImageList ? hasImages : 0))
    }

    // MARK: Reading

    package static func table(
        _ bytes: UnsafeRawBufferPointer, seen: UInt32
    ) throws(ByteReader.Malformed) -> NodeTable {
        var reader = ByteReader(bytes)
        var labels: [String] = []
        for _ in 0..<(try reader.count(of: 4)) {
            guard let label = try reader.text() else { throw ByteReader.Malformed() }
            labels.append(String(decoding: label, as: UTF8.self))
        }
        let images = ImageTable(furtherLabels: labels)
        var sizes: [Int64] = []
        for id in 0..<UInt32(try reader.count(of: 12)) {
            let size = try reader.number(Int64.self)
            var names: [UnsafeRawBufferPointer] = []
            for _ in 0..<(try reader.count(of: 4)) {
                guard let name = try reader.text() else { throw ByteReader.Malformed() }
                names.append(name)
            }
            guard size >= 0 else { throw ByteReader.Malformed() }
            sizes.append(size)
            names.withUnsafeBufferPointer { names in
                images.define(id, ContainerImage(names: names, sizeBytes: size))
            }
        }
        var table = NodeTable()
        for _ in 0..<(try reader.count(of: 4)) {
            let (record, version) = try node(&reader, images, sizes)
            let summary = NodeSummary(record: record, version: version)
            guard case .added = table.apply(summary, seen: seen) else {
                throw ByteReader.Malformed()
            }
        }
        guard reader.isAtEnd else { throw ByteReader.Malformed() }
        return table
    }

    private static func node(
        _ reader: inout ByteReader, _ images: ImageTable, _ sizes: [Int64]
    ) throws(ByteReader.Malformed) -> (PackedNode, ResourceVersion) {
        var node = plm_node()
        guard let name = try reader.text(), !name.isEmpty, let version = try reader.text(),
            let version = ResourceVersion(version)
        else { throw ByteReader.Malformed() }
        node.name = plm_text(name)
        for field in PackedText.allCases {
            node[keyPath: field.engineField] = plm_text(try reader.text())
        }
        node.capacity_ephemeral_storage = plm_text(try reader.text())
        node.allocatable_ephemeral_storage = plm_text(try reader.text())
        guard let ready = plm_condition(rawValue: UInt32(try reader.number(UInt8.self))),
            let pressure = plm_condition(rawValue: UInt32(try reader.number(UInt8.self)))
        else { throw ByteReader.Malformed() }
        (node.ready, node.disk_pressure) = (ready, pressure)
        let flags = try reader.number(UInt8.self)
        node.unschedulable = flags & unschedulable != 0
        node.has_images = flags & hasImages != 0
        var ids: [UInt32] = []
        for _ in 0..<(try reader.count(of: 4)) {
            let id = try reader.number(UInt32.self)
            guard id < sizes.count else { throw ByteReader.Malformed() }
            let (sum, overflow) = node.image_bytes.addingReportingOverflow(sizes[Int(id)])
            if overflow { node.image_bytes_overflow = true }
            node.image_bytes = sum
            ids.append(id)
        }
        if node.image_bytes_overflow { node.image_bytes = 0 }
        // Only ever compared with records of this table, and there is one of a name.
        node.fingerprint = FNV1a.hash(name)
        let record = ids.withUnsafeBufferPointer { ids in
            node.image_ids = ids.baseAddress
            node.image_count = ids.count
            return PackedNode(node, images: images)
        }
        guard let record else { throw ByteReader.Malformed() }
        return (record, version)
    }
}

extension plm_text {
    fileprivate init(_ bytes: UnsafeRawBufferPointer?) {
        self.init(
            bytes: bytes?.baseAddress?.assumingMemoryBound(to: CChar.self),
            length: bytes?.count ?? 0)
    }
}

extension PackedText {
    fileprivate var engineField: WritableKeyPath<plm_node, plm_text> {
        switch self {
        case .uid: \.uid
        case .bootID: \.boot_id
        case .created: \.creation_timestamp
        case .deleted: \.deletion_timestamp
        case .label0: \.labels.0
        case .label1: \.labels.1
        case .label2: \.labels.2
        case .label3: \.labels.3
        case .label4: \.labels.4
        case .label5: \.labels.5
        case .label6: \.labels.6
        case .label7: \.labels.7
        case .runtime: \.container_runtime_version
        case .kubelet: \.kubelet_version
        }
    }
}
