import WatchEngine

/// How a node's container runtime counts an image's size.
///
/// containerd reports the compressed content of a manifest, CRI-O and Docker the unpacked layers.
/// Layers shared by images count once for each image, so a sum is never "disk used".
public enum ImageSizeBasis: String, Sendable, Hashable {
    /// containerd: compressed content.
    case reportedCompressed = "reported-compressed"
    /// CRI-O, Docker and others: unpacked layers.
    case reportedUncompressed = "reported-uncompressed"
}

/// The status of one of a node's conditions.
public enum NodeCondition: Sendable, Hashable {
    /// The node has no such condition.
    case absent
    /// `True`.
    case isTrue
    /// `False`.
    case isFalse
    /// `Unknown`, or anything else: the control plane lost sight of the node.
    case unknown

    init(_ raw: UInt8) {
        self = plm_condition(rawValue: numericCast(raw)).map(NodeCondition.init) ?? .unknown
    }

    init(_ condition: plm_condition) {
        switch condition {
        case .absent: self = .absent
        case .isTrue: self = .isTrue
        case .isFalse: self = .isFalse
        case .unknown: self = .unknown
        }
    }

    var engine: plm_condition {
        switch self {
        case .absent: .absent
        case .isTrue: .isTrue
        case .isFalse: .isFalse
        case .unknown: .unknown
        }
    }
}

/// What is known of one node at one resourceVersion.
///
/// A value is one reference to packed, immutable storage and the resourceVersion: cheap to copy, to
/// keep and to hand to other threads. Texts become strings when they are asked for, so keep what
/// you ask for often.
public struct NodeSummary: Sendable {
    package let record: PackedNode
    package let version: ResourceVersion

    package init(record: PackedNode, version: ResourceVersion) {
        self.record = record
        self.version = version
    }

    /// `metadata.name`.
    public var name: String { record.name }
    /// `metadata.uid`. A node that was deleted and made again under its name has another one.
    public var uid: String { record.text(.uid) ?? "" }
    /// `metadata.resourceVersion`, as the server sent it.
    public var resourceVersion: String { version.string }
    /// `metadata.creationTimestamp` (RFC 3339), as the server sent it.
    public var creationTimestamp: String? { record.text(.created) }
    /// `metadata.deletionTimestamp` (RFC 3339): set while finalizers hold up a deletion.
    public var deletionTimestamp: String? { record.text(.deleted) }

    /// Node pool or node group, from the labels of the usual providers.
    public var pool: String? { record.text(.label0) }
    /// `topology.kubernetes.io/zone`.
    public var zone: String? { record.text(.label1) }
    /// `node.kubernetes.io/instance-type`.
    public var instanceType: String? { record.text(.label2) }
    /// `kubernetes.io/arch`.
    public var architecture: String? { record.text(.label3) }
    /// `spec.unschedulable`: cordoned.
    public var isUnschedulable: Bool { record.flags.contains(.unschedulable) }

    /// `status.capacity["ephemeral-storage"]` in bytes; nil when absent or no quantity. It is the
    /// size of the kubelet's root filesystem, which holds the images only on nodes with one disk.
    public var capacityBytes: Int? { record.capacityBytes }
    /// `status.allocatable["ephemeral-storage"]` in bytes; nil when absent or no quantity.
    public var allocatableBytes: Int? { record.allocatableBytes }
    /// The condition `Ready`.
    public var ready: NodeCondition { record.ready }
    /// The condition `DiskPressure`.
    public var diskPressure: NodeCondition { record.diskPressure }

    /// `status.nodeInfo.containerRuntimeVersion` ("containerd://2.1.5").
    public var containerRuntimeVersion: String? { record.text(.runtime) }
    /// `status.nodeInfo.kubeletVersion` ("v1.36.2").
    public var kubeletVersion: String? { record.text(.kubelet) }
    /// `status.nodeInfo.bootID`: another one after a reboot.
    public var bootID: String? { record.text(.bootID) }

    /// `status.images` in the order reported, the largest first. At most the kubelet's
    /// `nodeStatusMaxImages` (50 by default) are listed.
    public var images: [ContainerImage] { record.images }
    /// How many images are listed.
    public var imageCount: Int { record.imageCount }
    /// Sum of the listed sizes in bytes; nil when unknown: there is no list, or the sum does not
    /// fit in 64 bits.
    public var imageBytes: Int? { record.imageBytes }
    /// Whether the node has an image list at all. It has none before the kubelet's first report.
    public var hasImageList: Bool { record.flags.contains(.hasImages) }
    /// Whether exactly 50 images are listed, the kubelet's default cap: there may be more, and one
    /// that is no longer listed may still be there.
    public var isTruncated: Bool { record.imageCount == Self.defaultImageCap }
    /// How the sizes are counted, from the container runtime's name; `reportedCompressed` where it
    /// is not known.
    public var basis: ImageSizeBasis {
        guard let runtime = containerRuntimeVersion, !runtime.hasPrefix("containerd:") else {
            return .reportedCompressed
        }
        return .reportedUncompressed
    }

    /// `nodeStatusMaxImages` of a kubelet with default settings.
    public static let defaultImageCap = 50

    /// Whether both list the same images (names and sizes) in the same order. Compares numbers, not
    /// names, when both came through one informer.
    public func hasSameImageEntries(as other: NodeSummary) -> Bool {
        record.hasSameImages(as: other.record)
    }

    /// Whether both say the same of the same node, save for the resourceVersion.
    public func hasSameContent(as other: NodeSummary) -> Bool {
        record.hasSameContent(as: other.record)
    }

    /// Whether both are the same API object: equal uid.
    public func isSameObject(as other: NodeSummary) -> Bool {
        record.isSameObject(as: other.record)
    }
}

extension NodeSummary: CustomStringConvertible {
    /// Name, resourceVersion and image totals.
    public var description: String {
        let bytes = imageBytes.map { "\($0) bytes" } ?? "size unknown"
        return "\(name)@\(resourceVersion) (\(imageCount) images, \(bytes))"
    }
}
