package import FoundationEssentials
import KubeClient
public import NodeWatch

/// One alert, with the keys of its JSON form. Scripts depend on them: they are added to, never
/// renamed.
public struct Alert: Sendable, Codable {
    /// A cluster by the name it was configured under.
    public struct Cluster: Sendable, Codable {
        /// Its context's name.
        public var name: String
    }

    /// The node it is about.
    public struct Node: Sendable, Codable {
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
    public struct Conditions: Sendable, Codable {
        /// The kubelet says that disk space is short.
        public var diskPressure: Bool
    }

    /// Reported image storage at a time.
    public struct Storage: Sendable, Codable {
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
    public struct Image: Sendable, Codable {
        /// Its first tag, else its digest.
        public var name: String
        /// Its size in bytes; see ``Alert/basis``.
        public var sizeBytes: Int
        /// "sha256:…", where the node reports one.
        public var digest: String?
    }

    /// Whether it begins or ends.
    public enum Status: String, Sendable, Codable {
        case firing, resolved
    }

    /// What was measured, and what it may be.
    public struct Measure: Sendable, Hashable, Codable {
        /// What the numbers count.
        public enum Unit: String, Sendable, Codable {
            case bytes, percent, changes, nodes, versions, seconds
        }

        /// What was measured.
        public var value: Double
        /// From where on the rule is true; up to where, for what must not be fewer.
        public var threshold: Double
        /// Of both.
        public var unit: Unit
    }

    /// What the kubelet says of the filesystem of the node's images.
    public struct ImageFS: Sendable, Codable {
        /// What images and containers take, in bytes.
        public var usedBytes: Int
        /// Its size in bytes.
        public var capacityBytes: Int
        /// What is free on it, in bytes.
        public var availableBytes: Int
        /// When the kubelet looked, RFC 3339.
        public var time: String
    }

    /// Version of this form.
    public var schemaVersion = 1
    /// The same for the same alert, however often and by whomever it is made: a hash of cluster, rule,
    /// node uid, status, the set of images it is about and the resourceVersion at which that was first
    /// seen.
    public var id = ""
    /// The same for an alert and its end: a hash of cluster, rule and what it is about.
    public var fingerprint = ""
    /// The rule that fired.
    public var rule: String
    /// Its type as one word: `StorageChanged`, `High`.
    public var reason: String
    /// `resolved` where what lasted is over. What is told once only ever fires.
    public var status = Status.firing
    /// `info`, `warning` or `critical`.
    public var severity: String
    /// One line for people.
    public var summary = ""
    /// Where the node is.
    public var cluster: Cluster
    /// Whose images changed; null where the alert is about the cluster.
    public var node: Node?
    /// The last known state before; null where the alert is about no change.
    public var previous: Storage?
    /// The state now; null where the alert is about the cluster.
    public var current: Storage?
    /// Null where one of the totals is unknown.
    public var deltaBytes: Int?
    /// Images that came, the largest first.
    public var added: [Image] = []
    /// Images that went, the largest first.
    public var removed: [Image] = []
    /// How the sizes are counted: `reported-compressed` or `reported-uncompressed`; `imagefs` where the
    /// measure is what the kubelet says of the filesystem.
    public var basis: String?
    /// Whether the list is cut at the kubelet's cap: the totals are lower bounds.
    public var truncated = false
    /// Where the list is cut: how large an image that is not listed can be, in bytes.
    public var hiddenMaxBytesEach: Int?
    /// `status.capacity["ephemeral-storage"]` in bytes.
    public var capacityBytes: Int?
    /// `status.allocatable["ephemeral-storage"]` in bytes.
    public var allocatableBytes: Int?
    /// What share of the capacity the reported storage would be, to a tenth, if the images were on that
    /// filesystem and took as much room there as is reported; null where one of them is unknown.
    public var percentOfCapacity: Double?
    /// What the kubelet said last, where it was asked.
    public var imageFS: ImageFS?
    /// The node's conditions now.
    public var conditions: Conditions?
    /// See ``ImageChange/Classification``.
    public var classification: String?
    /// What was measured; null where nothing was.
    public var measure: Measure?
    /// So many like it were not told since the last one, because of a cooldown.
    public var suppressed = 0
    /// At which the change was seen.
    public var resourceVersion: String?
    /// When we saw it, RFC 3339 in UTC with milliseconds. The kubelet may have taken 40 s before.
    public var observedAt: String
    /// When what lasts began.
    public var startsAt: String
    /// Where the change happened while nobody watched: not before this.
    public var notBefore: String?
    /// The rule's.
    public var labels: [String: String]
    /// What to do about it.
    public var runbookURL: String?

    /// Whether it has an end, of which another alert will tell.
    public internal(set) var lasts: Bool
    /// When we saw it.
    var time: Date
    var previousIsTruncated = false
    /// What follows the node's name in the summary.
    var detail = ""

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, id, fingerprint, rule, reason, status, severity, summary, cluster, node
        case previous, current, deltaBytes, added, removed, omitted, basis, truncated
        case hiddenMaxBytesEach, capacityBytes, allocatableBytes, percentOfCapacity
        case imageFS = "imageFs"
        case conditions, classification, measure, suppressed, resourceVersion, observedAt, startsAt
        case notBefore, labels, runbookURL, lasts
    }

    private struct Omitted: Encodable {
        var added: Int
        var removed: Int
    }

    /// So many images are listed of those that came, and of those that went.
    private static let mostImages = 10

    /// The name of the rule that fires for every change.
    public static let storageChangedRule = Rule.storageChanged.name

    /// The alert of a change.
    ///
    /// - Parameters:
    ///   - change: What changed.
    ///   - cluster: The name the cluster is known by.
    public init(_ change: ImageChange, cluster: String) {
        self.init(change, cluster: cluster, time: Date())
    }

    package init(_ change: ImageChange, cluster: String, time: Date) {
        self.init(.storageChanged, cluster: cluster, time: time)
        describe(change)
        finish()
    }

    /// The frame of an alert, to be described and finished.
    init(_ rule: Rule, cluster: String, time: Date) {
        self.rule = rule.name
        self.time = time
        reason = rule.condition.reason
        lasts = !rule.condition.isEvent
        severity = rule.severity.rawValue
        self.cluster = Cluster(name: cluster)
        labels = rule.labels
        runbookURL = rule.runbookURL
        observedAt = Self.text(time)
        startsAt = observedAt
    }

    static func text(_ time: Date) -> String {
        Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(time)
    }

    mutating func describe(_ change: ImageChange) {
        describe(change.current, isTruncated: change.isTruncated)
        previous = Storage(bytes: change.previous.imageBytes, images: change.previous.imageCount)
        deltaBytes = change.deltaBytes
        added = change.added.map(Image.init)
        removed = change.removed.map(Image.init)
        previousIsTruncated = change.previousIsTruncated
        classification = change.classification.rawValue
        resourceVersion = change.resourceVersion
        detail = "\(totals) (\(deltaText)), \(change.classification.rawValue) \(imagesText)"
    }

    mutating func describe(_ node: NodeSummary, isTruncated: Bool) {
        self.node = Node(node)
        current = Storage(bytes: node.imageBytes, images: node.imageCount)
        basis = node.basis.rawValue
        truncated = isTruncated
        hiddenMaxBytesEach = isTruncated ? node.images.map(\.sizeBytes).min() : nil
        capacityBytes = node.capacityBytes
        allocatableBytes = node.allocatableBytes
        percentOfCapacity = node.percentOfCapacity.map { ($0 * 10).rounded() / 10 }
        conditions = Conditions(diskPressure: node.diskPressure == .isTrue)
        resourceVersion = node.resourceVersion
        imageSet = Self.setHash(node.images)
    }

    /// Of the images it is about, whatever their order.
    private(set) var imageSet = ""

    private static func setHash(_ images: [ContainerImage]) -> String {
        var sum: UInt64 = 0
        for image in images {
            var hash = FNV1a()
            for name in image.names { hash.add(name) }
            hash.add("\(image.sizeBytes)")
            sum &+= hash.value
        }
        return String(sum, radix: 16)
    }

    /// Finishes an alert of what began at another version than its node has now.
    mutating func adoptIdentity(resourceVersion: String?, imageSet: String) {
        let now = self.resourceVersion
        self.resourceVersion = resourceVersion
        self.imageSet = imageSet
        finish()
        self.resourceVersion = now
    }

    /// It happened while nobody watched.
    mutating func happened(after time: Date) {
        notBefore = Self.text(time)
        detail += ", between \(Self.text(time)) and \(observedAt)"
    }

    /// Makes the summary and the identifiers, when all else is there.
    mutating func finish() {
        let subject = node.map { $0.uid.isEmpty ? $0.name : $0.uid } ?? ""
        fingerprint = Self.identifier([cluster.name, rule, subject])
        id = Self.identifier([
            cluster.name, rule, subject, status.rawValue, imageSet, resourceVersion ?? startsAt,
        ])
        let end = status == .resolved ? "resolved: " : ""
        summary = end + (node.map { "\($0.name): " } ?? "") + detail
    }

    /// See `Encodable`. What is unknown is null, not left out.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schemaVersion, forKey: .schemaVersion)
        try container.encode(id, forKey: .id)
        try container.encode(fingerprint, forKey: .fingerprint)
        try container.encode(rule, forKey: .rule)
        try container.encode(reason, forKey: .reason)
        try container.encode(status, forKey: .status)
        try container.encode(severity, forKey: .severity)
        try container.encode(summary, forKey: .summary)
        try container.encode(cluster, forKey: .cluster)
        try container.encode(node, forKey: .node)
        try container.encode(previous, forKey: .previous)
        try container.encode(current, forKey: .current)
        try container.encode(deltaBytes, forKey: .deltaBytes)
        try container.encode(added.prefix(Self.mostImages).map { $0 }, forKey: .added)
        try container.encode(removed.prefix(Self.mostImages).map { $0 }, forKey: .removed)
        try container.encode(
            Omitted(
                added: max(0, added.count - Self.mostImages),
                removed: max(0, removed.count - Self.mostImages)), forKey: .omitted)
        try container.encode(basis, forKey: .basis)
        try container.encode(truncated, forKey: .truncated)
        try container.encode(hiddenMaxBytesEach, forKey: .hiddenMaxBytesEach)
        try container.encode(capacityBytes, forKey: .capacityBytes)
        try container.encode(allocatableBytes, forKey: .allocatableBytes)
        try container.encode(percentOfCapacity, forKey: .percentOfCapacity)
        try container.encodeIfPresent(imageFS, forKey: .imageFS)
        try container.encode(conditions, forKey: .conditions)
        try container.encode(classification, forKey: .classification)
        try container.encodeIfPresent(measure, forKey: .measure)
        if suppressed > 0 { try container.encode(suppressed, forKey: .suppressed) }
        try container.encode(resourceVersion, forKey: .resourceVersion)
        try container.encode(observedAt, forKey: .observedAt)
        try container.encode(startsAt, forKey: .startsAt)
        try container.encodeIfPresent(notBefore, forKey: .notBefore)
        try container.encode(labels, forKey: .labels)
        try container.encode(lasts, forKey: .lasts)
        try container.encodeIfPresent(runbookURL, forKey: .runbookURL)
    }

    /// See `Decodable`. Of the images beyond those that are listed only the number was kept.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func optional<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
            try container.decodeIfPresent(Value.self, forKey: key)
        }
        schemaVersion = try container.decode(Int.self, forKey: .schemaVersion)
        id = try container.decode(String.self, forKey: .id)
        fingerprint = try container.decode(String.self, forKey: .fingerprint)
        rule = try container.decode(String.self, forKey: .rule)
        reason = try container.decode(String.self, forKey: .reason)
        status = try container.decode(Status.self, forKey: .status)
        severity = try container.decode(String.self, forKey: .severity)
        summary = try container.decode(String.self, forKey: .summary)
        cluster = try container.decode(Cluster.self, forKey: .cluster)
        node = try optional(.node)
        previous = try optional(.previous)
        current = try optional(.current)
        deltaBytes = try optional(.deltaBytes)
        added = try container.decode([Image].self, forKey: .added)
        removed = try container.decode([Image].self, forKey: .removed)
        basis = try optional(.basis)
        truncated = try container.decode(Bool.self, forKey: .truncated)
        hiddenMaxBytesEach = try optional(.hiddenMaxBytesEach)
        capacityBytes = try optional(.capacityBytes)
        allocatableBytes = try optional(.allocatableBytes)
        percentOfCapacity = try optional(.percentOfCapacity)
        imageFS = try optional(.imageFS)
        conditions = try optional(.conditions)
        classification = try optional(.classification)
        measure = try optional(.measure)
        suppressed = try optional(.suppressed) ?? 0
        resourceVersion = try optional(.resourceVersion)
        observedAt = try container.decode(String.self, forKey: .observedAt)
        startsAt = try container.decode(String.self, forKey: .startsAt)
        notBefore = try optional(.notBefore)
        labels = try container.decode([String: String].self, forKey: .labels)
        runbookURL = try optional(.runbookURL)
        lasts = try container.decode(Bool.self, forKey: .lasts)
        time =
            (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(observedAt))
            ?? Date()
    }

    /// FNV-1a, two runs of 64 bits: stable everywhere, no secret.
    static func identifier(_ parts: [String]) -> String {
        func hash(_ basis: UInt64) -> String {
            var hash = FNV1a(basis)
            for part in parts { hash.add(part) }
            let digits = String(hash.value, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
        return hash(FNV1a.basis) + hash(0x6c62_272e_07bb_0142)
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
