import ImageAlerts
import KubeClient
import NodeWatch

/// A node as people and scripts see it.
struct NodeRow {
    var node: NodeSummary
    var isTruncated: Bool
    /// What the kubelet says; nil where nobody asked, nil within where it did not answer.
    var imageFileSystem: ImageFileSystem??
    /// It is shown for the last time.
    var isDeleted = false

    init(_ node: NodeSummary, isTruncated: Bool) {
        self.node = node
        self.isTruncated = isTruncated
    }

    var percent: Double? { node.percentOfCapacity }

    /// "Ready,SchedulingDisabled", as kubectl has it, with DiskPressure.
    var state: String {
        if isDeleted { return "Deleted" }
        var parts: [String] = []
        switch node.ready {
        case .isTrue: parts.append("Ready")
        case .isFalse: parts.append("NotReady")
        case .unknown, .absent: parts.append("Unknown")
        }
        if node.diskPressure == .isTrue { parts.append("DiskPressure") }
        if node.isUnschedulable { parts.append("SchedulingDisabled") }
        return parts.joined(separator: ",")
    }

    private var storage: String {
        guard let bytes = node.imageBytes else { return "–" }
        return (isTruncated ? "≥ " : "") + ByteText.text(bytes)
    }

    static func table(_ rows: [NodeRow], isWide: Bool) -> TextTable {
        var table = TextTable(columns: [
            .init(title: "NAME"), .init(title: "IMAGES", isNumber: true),
            .init(title: "IMAGE-STORAGE", isNumber: true), .init(title: "CAPACITY", isNumber: true),
            .init(title: "%", isNumber: true), .init(title: "STATE"),
        ])
        if rows.first?.imageFileSystem != nil {
            table.columns += [
                .init(title: "IMAGEFS", isNumber: true), .init(title: "FULL", isNumber: true),
            ]
        }
        if isWide {
            table.columns += ["POOL", "ZONE", "TYPE", "BASIS", "KUBELET", "RUNTIME"].map {
                .init(title: $0)
            }
        }
        table.rows = rows.map { $0.cells(isWide: isWide) }
        return table
    }

    /// The cells of the table.
    func cells(isWide: Bool) -> [String] {
        var cells = [
            node.name, node.hasImageList ? "\(node.imageCount)" : "–", storage,
            node.capacityBytes.map(ByteText.text) ?? "–",
            percent.map { "\(Int($0.rounded()))" } ?? "–", state,
        ]
        if let imageFileSystem {
            cells.append(imageFileSystem.map { ByteText.text($0.usedBytes) } ?? "–")
            cells.append(imageFileSystem?.percentUsed.map { "\(Int($0.rounded()))%" } ?? "–")
        }
        guard isWide else { return cells }
        return cells + [
            node.pool ?? "–", node.zone ?? "–", node.instanceType ?? "–", node.basis.rawValue,
            node.kubeletVersion ?? "–", node.containerRuntimeVersion ?? "–",
        ]
    }

    static func csvTable(_ rows: [NodeRow]) -> TextTable {
        let titles = [
            "name", "uid", "imageCount", "imageBytes", "capacityBytes", "basis", "truncated",
            "state", "pool", "zone", "resourceVersion",
        ]
        return TextTable(
            columns: titles.map { .init(title: $0) },
            rows: rows.map(\.csvCells))
    }

    var csvCells: [String] {
        [
            node.name, node.uid, "\(node.imageCount)", node.imageBytes.map(String.init) ?? "",
            node.capacityBytes.map(String.init) ?? "", node.basis.rawValue, "\(isTruncated)", state,
            node.pool ?? "", node.zone ?? "", node.resourceVersion,
        ]
    }

    /// The keys that scripts depend on.
    var value: OutputValue {
        var members: [(String, OutputValue)] = [
            ("name", .string(node.name)), ("uid", .string(node.uid)),
            ("imageBytes", .optional(node.imageBytes)), ("imageCount", .int(node.imageCount)),
            (
                "images",
                .array(
                    node.images.map { image in
                        .object([
                            ("names", .array(image.names.map { .string($0) })),
                            ("sizeBytes", .int(image.sizeBytes)),
                        ])
                    })
            ),
            ("basis", .string(node.basis.rawValue)), ("truncated", .bool(isTruncated)),
            ("state", .string(state)), ("capacityBytes", .optional(node.capacityBytes)),
            ("percentOfCapacity", .optional(percent.map { ($0 * 10).rounded() / 10 })),
            ("pool", .optional(node.pool)), ("zone", .optional(node.zone)),
            ("instanceType", .optional(node.instanceType)),
            ("kubeletVersion", .optional(node.kubeletVersion)),
            ("containerRuntimeVersion", .optional(node.containerRuntimeVersion)),
            ("resourceVersion", .string(node.resourceVersion)),
        ]
        if let imageFileSystem {
            members.append(("imageFs", imageFileSystem.map(\.value) ?? .null))
        }
        return .object(members)
    }
}

extension ImageFileSystem {
    /// With the kubelet's keys.
    var value: OutputValue {
        .object([
            ("usedBytes", .int(usedBytes)), ("capacityBytes", .int(capacityBytes)),
            ("availableBytes", .int(availableBytes)), ("time", .string(time)),
        ])
    }
}
