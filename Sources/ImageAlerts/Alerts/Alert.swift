package import FoundationEssentials
public import NodeWatch

/// One alert, with the keys of its JSON form. Scripts depend on them: they are added to, never
/// renamed.
public struct Alert: Sendable, Encodable {
    /// A cluster by the name it was configured under.
    public struct Cluster: Sendable, Encodable {
        /// Its context's name.
        public var name: String
    }

    /// The node it is about.
    public struct Node: Sendable, Encodable {
        /// `metadata.name`.
        public var name: String
        /// `metadata.uid`.
        public var uid: String
        /// Node pool or node group.
        public var pool: String?
        /// `topology.kubernetes.io/zone`.
        public var zone: String?
        /// `node.kubernetes.io/instance-type`.
        public var instanceType: String?
        /// `kubernetes.io/arch`.
        public var arch: String?
        /// `status.nodeInfo.containerRuntimeVersion`.
        public var runtime: String?
        /// `status.nodeInfo.kubeletVersion`.
        public var kubeletVersion: String?
    }

    /// Conditions of the node.
    public struct Conditions: Sendable, Encodable {
        /// The kubelet says that disk space is short.
        public var diskPressure: Bool
    }

    /// Reported image storage at a time.
    public struct Storage: Sendable, Encodable {
        /// Sum of the listed sizes; null where it does not fit in 64 bits.
        public var bytes: Int?
        /// How many images are listed.
        public var images: Int

        private enum CodingKeys: String, CodingKey { case bytes, images }

        /// See `Encodable`. What is unknown is null, not left out.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(bytes, forKey: .bytes)
            try container.encode(images, forKey: .images)
        }
    }

    /// An image that came or went.
    public struct Image: Sendable, Encodable {
        /// Its first tag, else its digest.
        public var name: String
        /// Its size in bytes; see ``Alert/basis``.
        public var sizeBytes: Int
        /// "sha256:…", where the node reports one.
        public var digest: String?
    }

    /// Version of this form.
    public var schemaVersion = 1
    /// The same for the same change, however often and by whomever it is seen: a hash of cluster,
    /// rule, node uid, status and resourceVersion.
    public var id: String
    /// The rule that fired.
    public var rule: String
    /// `firing`.
    public var status = "firing"
    /// `info`, `warning` or `critical`.
    public var severity = "info"
    /// One line for people.
    public var summary: String
    /// Where the node is.
    public var cluster: Cluster
    /// Whose images changed.
    public var node: Node
    /// The last known state before.
    public var previous: Storage
    /// The state now.
    public var current: Storage
    /// Null where one of the totals does not fit in 64 bits.
    public var deltaBytes: Int?
    /// Images that came, the largest first.
    public var added: [Image]
    /// Images that went, the largest first.
    public var removed: [Image]
    /// How the sizes are counted: `reported-compressed` or `reported-uncompressed`.
    public var basis: String
    /// Whether the list is cut at the kubelet's cap: the totals are lower bounds.
    public var truncated: Bool
    /// Where the list is cut: how large an image that is not listed can be, in bytes.
    public var hiddenMaxBytesEach: Int?
    /// `status.capacity["ephemeral-storage"]` in bytes.
    public var capacityBytes: Int?
    /// `status.allocatable["ephemeral-storage"]` in bytes.
    public var allocatableBytes: Int?
    /// What share of the capacity the reported storage would be, to a tenth, if the images were on that
    /// filesystem and took as much room there as is reported; null where one of them is unknown.
    public var percentOfCapacity: Double?
    /// The node's conditions now.
    public var conditions: Conditions
    /// See ``ImageChange/Classification``.
    public var classification: String
    /// At which the change was seen.
    public var resourceVersion: String
    /// When we saw it, RFC 3339 in UTC with milliseconds. The kubelet may have taken 40 s before.
    public var observedAt: String

    /// When we saw it.
    let time: Date
    let previousIsTruncated: Bool

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, id, rule, status, severity, summary, cluster, node, previous, current
        case deltaBytes, added, removed, basis, truncated, hiddenMaxBytesEach, capacityBytes
        case allocatableBytes, percentOfCapacity, conditions, classification, resourceVersion
        case observedAt
    }

    /// The name of the rule that fires for every change.
    public static let storageChangedRule = "image-storage-changed"

    /// The alert of a change.
    ///
    /// - Parameters:
    ///   - change: What changed.
    ///   - cluster: The name the cluster is known by.
    public init(_ change: ImageChange, cluster: String) {
        self.init(change, cluster: cluster, time: Date())
    }

    package init(_ change: ImageChange, cluster: String, time: Date) {
        let node = change.current
        self.time = time
        rule = Self.storageChangedRule
        self.cluster = Cluster(name: cluster)
        self.node = Node(node)
        previous = Storage(bytes: change.previous.imageBytes, images: change.previous.imageCount)
        current = Storage(bytes: node.imageBytes, images: node.imageCount)
        deltaBytes = change.deltaBytes
        added = change.added.map(Image.init)
        removed = change.removed.map(Image.init)
        basis = node.basis.rawValue
        truncated = change.isTruncated
        previousIsTruncated = change.previousIsTruncated
        hiddenMaxBytesEach = change.hiddenMaxBytesEach
        capacityBytes = node.capacityBytes
        allocatableBytes = node.allocatableBytes
        percentOfCapacity = node.percentOfCapacity.map { ($0 * 10).rounded() / 10 }
        conditions = Conditions(diskPressure: node.diskPressure == .isTrue)
        classification = change.classification.rawValue
        resourceVersion = change.resourceVersion
        observedAt = Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(time)
        id = Self.identifier([
            cluster, rule, node.uid.isEmpty ? node.name : node.uid, status, resourceVersion,
        ])
        summary = ""
        summary =
            "\(node.name): \(totals) (\(deltaText)), \(classification) \(imagesText)"
    }

    /// See `Encodable`. What is unknown is null, not left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schemaVersion, forKey: .schemaVersion)
        try container.encode(id, forKey: .id)
        try container.encode(rule, forKey: .rule)
        try container.encode(status, forKey: .status)
        try container.encode(severity, forKey: .severity)
        try container.encode(summary, forKey: .summary)
        try container.encode(cluster, forKey: .cluster)
        try container.encode(node, forKey: .node)
        try container.encode(previous, forKey: .previous)
        try container.encode(current, forKey: .current)
        try container.encode(deltaBytes, forKey: .deltaBytes)
        try container.encode(added, forKey: .added)
        try container.encode(removed, forKey: .removed)
        try container.encode(basis, forKey: .basis)
        try container.encode(truncated, forKey: .truncated)
        try container.encode(hiddenMaxBytesEach, forKey: .hiddenMaxBytesEach)
        try container.encode(capacityBytes, forKey: .capacityBytes)
        try container.encode(allocatableBytes, forKey: .allocatableBytes)
        try container.encode(percentOfCapacity, forKey: .percentOfCapacity)
        try container.encode(conditions, forKey: .conditions)
        try container.encode(classification, forKey: .classification)
        try container.encode(resourceVersion, forKey: .resourceVersion)
        try container.encode(observedAt, forKey: .observedAt)
    }

    /// FNV-1a, two runs of 64 bits: stable everywhere, no secret.
    private static func identifier(_ parts: [String]) -> String {
        func hash(_ basis: UInt64) -> String {
            var value = basis
            for part in parts {
                for byte in part.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
                value = (value ^ 0xff) &* 0x100_0000_01b3
            }
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        return hash(0xcbf2_9ce4_8422_2325) + hash(0x6c62_272e_07bb_0142)
    }
}

extension Alert.Node {
    init(_ node: NodeSummary) {
        name = node.name
        uid = node.uid
        pool = node.pool
        zone = node.zone
        instanceType = node.instanceType
        arch = node.architecture
        runtime = node.containerRuntimeVersion
        kubeletVersion = node.kubeletVersion
    }
}

extension NodeSummary {
    /// What share of the node's ephemeral storage the reported images would be; nil where unknown.
    public var percentOfCapacity: Double? {
        guard let bytes = imageBytes, let capacity = capacityBytes, capacity > 0 else { return nil }
        return Double(bytes) / Double(capacity) * 100
    }
}

extension Alert.Image {
    init(_ image: ContainerImage) {
        name = image.displayName
        sizeBytes = image.sizeBytes
        digest = image.digest
    }
}
