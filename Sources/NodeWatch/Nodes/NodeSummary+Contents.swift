import WatchEngine

extension NodeSummary {
    /// The parts of a summary, to make one by hand: in tests, or from stored state.
    public struct Contents: Sendable, Hashable {
        /// See ``NodeSummary/name``.
        public var name: String
        /// See ``NodeSummary/uid``.
        public var uid: String
        /// See ``NodeSummary/resourceVersion``. An empty one counts as "0".
        public var resourceVersion: String
        /// See ``NodeSummary/creationTimestamp``.
        public var creationTimestamp: String?
        /// See ``NodeSummary/deletionTimestamp``.
        public var deletionTimestamp: String?
        /// See ``NodeSummary/pool``.
        public var pool: String?
        /// See ``NodeSummary/zone``.
        public var zone: String?
        /// See ``NodeSummary/instanceType``.
        public var instanceType: String?
        /// See ``NodeSummary/architecture``.
        public var architecture: String?
        /// Values of labels beyond ``NodeSummary/keptLabels``, by key; ``NodeSummary/mostFurtherLabels`` at most.
        public var furtherLabels: [String: String] = [:]
        /// See ``NodeSummary/isUnschedulable``.
        public var isUnschedulable = false
        /// See ``NodeSummary/capacityBytes``.
        public var capacityBytes: Int?
        /// See ``NodeSummary/allocatableBytes``.
        public var allocatableBytes: Int?
        /// See ``NodeSummary/ready``.
        public var ready = NodeCondition.absent
        /// See ``NodeSummary/diskPressure``.
        public var diskPressure = NodeCondition.absent
        /// See ``NodeSummary/containerRuntimeVersion``.
        public var containerRuntimeVersion: String?
        /// See ``NodeSummary/kubeletVersion``.
        public var kubeletVersion: String?
        /// See ``NodeSummary/bootID``.
        public var bootID: String?
        /// See ``NodeSummary/images``; nil: the node has no image list.
        public var images: [ContainerImage]?

        /// Starts with what every node has.
        public init(
            name: String, uid: String = "", resourceVersion: String = "1",
            images: [ContainerImage]? = nil
        ) {
            self.name = name
            self.uid = uid
            self.resourceVersion = resourceVersion
            self.images = images
        }
    }

    /// Makes a summary by hand.
    public init(_ contents: Contents) {
        let version = ResourceVersion(contents.resourceVersion) ?? .text("0")
        self.init(record: PackedNode(contents), version: version)
    }

    /// All of it as plain values.
    public var contents: Contents {
        var contents = Contents(
            name: name, uid: uid, resourceVersion: resourceVersion,
            images: hasImageList ? images : nil)
        contents.creationTimestamp = creationTimestamp
        contents.deletionTimestamp = deletionTimestamp
        contents.pool = pool
        contents.zone = zone
        contents.instanceType = instanceType
        contents.architecture = architecture
        contents.furtherLabels = record.furtherLabelTexts
        contents.isUnschedulable = isUnschedulable
        contents.capacityBytes = capacityBytes
        contents.allocatableBytes = allocatableBytes
        contents.ready = ready
        contents.diskPressure = diskPressure
        contents.containerRuntimeVersion = containerRuntimeVersion
        contents.kubeletVersion = kubeletVersion
        contents.bootID = bootID
        return contents
    }
}

extension PackedNode {
    /// Packs contents by way of the engine's form, so that there is one packer.
    init(_ contents: NodeSummary.Contents) {
        let images = contents.images ?? []
        let keys = Array(contents.furtherLabels.keys.sorted().prefix(NodeSummary.mostFurtherLabels))
        func further(_ index: Int) -> String? {
            index < keys.count ? contents.furtherLabels[keys[index]] : nil
        }
        let local = LocalImages.keeping(keys)
        self = local.withIDs(images) { ids in
            var texts = TextArena()
            var node = plm_node()
            let fields: [(WritableKeyPath<plm_node, plm_text>, String?)] = [
                (\.name, contents.name), (\.uid, contents.uid.isEmpty ? nil : contents.uid),
                (\.creation_timestamp, contents.creationTimestamp),
                (\.deletion_timestamp, contents.deletionTimestamp),
                (\.labels.0, contents.pool), (\.labels.1, contents.zone),
                (\.labels.2, contents.instanceType), (\.labels.3, contents.architecture),
                (\.labels.4, further(0)), (\.labels.5, further(1)),
                (\.labels.6, further(2)), (\.labels.7, further(3)),
                (\.capacity_ephemeral_storage, contents.capacityBytes.map { "\($0)" }),
                (\.allocatable_ephemeral_storage, contents.allocatableBytes.map { "\($0)" }),
                (\.container_runtime_version, contents.containerRuntimeVersion),
                (\.kubelet_version, contents.kubeletVersion), (\.boot_id, contents.bootID),
            ]
            let ranges = fields.map { texts.append($0.1) }

            node.ready = contents.ready.engine
            node.disk_pressure = contents.diskPressure.engine
            node.unschedulable = contents.isUnschedulable
            node.has_images = contents.images != nil
            for image in images {
                let (sum, overflow) = node.image_bytes.addingReportingOverflow(
                    Int64(image.sizeBytes))
                if overflow { node.image_bytes_overflow = true }
                node.image_bytes = sum
            }
            if node.image_bytes_overflow { node.image_bytes = 0 }

            var hashed = contents
            hashed.resourceVersion = ""
            var hasher = Hasher()
            hasher.combine(hashed)
            node.fingerprint = UInt64(bitPattern: Int64(hasher.finalize()))

            return texts.bytes.withUnsafeBufferPointer { bytes in
                for (field, range) in zip(fields, ranges) {
                    guard let range else { continue }
                    let start = UnsafeRawPointer(bytes.baseAddress! + range.lowerBound)
                    node[keyPath: field.0] = plm_text(
                        bytes: start.assumingMemoryBound(to: CChar.self), length: range.count)
                }
                return ids.withUnsafeBufferPointer { ids in
                    node.image_ids = ids.baseAddress
                    node.image_count = ids.count
                    // The ids were defined just above, under the same lock.
                    return PackedNode(node, images: local.table)!
                }
            }
        }
    }
}

/// Texts one after another.
private struct TextArena {
    // One byte in front, so that the address of an empty text is one.
    var bytes: [UInt8] = [0]

    mutating func append(_ text: String?) -> Range<Int>? {
        guard let text else { return nil }
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        return start..<bytes.count
    }
}
