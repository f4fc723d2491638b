import FoundationEssentials
import ImageAlerts
import NodeWatch

/// Makes alert lines of a cluster's changes.
struct AlertPrinter {
    /// Columns for node names: as many as the longest needs, within limits.
    private static let nameWidths = 20...48

    private let cluster: String
    private let format: AlertFormat
    /// Columns for the cluster's name beside those of others; 0: it is the only one.
    private let clusterWidth: Int
    private var detector: ImageChangeDetector
    private var nameWidth = Self.nameWidths.lowerBound

    init(
        cluster: String, _ format: AlertFormat, _ cap: ImageChangeDetector.Cap, clusterWidth: Int
    ) {
        self.cluster = cluster
        self.format = format
        self.clusterWidth = clusterWidth
        detector = ImageChangeDetector(cap: cap)
    }

    /// The line of a change; nil where it is none of images.
    mutating func line(_ change: NodeChange, at time: Date = Date()) -> String? {
        if case .added(let node, _) = change {
            nameWidth = min(max(nameWidth, node.name.count), Self.nameWidths.upperBound)
        }
        guard let imageChange = detector.observe(change) else { return nil }
        return format.line(
            Alert(imageChange, cluster: cluster, time: time), width: Terminal.width,
            nameWidth: nameWidth, clusterWidth: clusterWidth, isColored: Terminal.outputIsColored)
    }
}

extension NodeChange {
    /// Whether it is the first sight of a node in the first list, and so no change.
    var isInitial: Bool {
        if case .added(_, let isInitial) = self { return isInitial }
        return false
    }
}
