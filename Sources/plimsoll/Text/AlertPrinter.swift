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
        cluster: String, _ format: AlertFormat, _ options: ImageChangeDetector.Options,
        clusterWidth: Int
    ) {
        self.cluster = cluster
        self.format = format
        self.clusterWidth = clusterWidth
        detector = ImageChangeDetector(options)
    }

    /// What is said, and where.
    enum Line {
        /// On standard output.
        case alert(String)
        /// On standard error.
        case talk(String)
    }

    /// The lines of what happened to a node, and of what has come out of others by then.
    mutating func lines(_ change: NodeChange, at time: Date) -> [Line] {
        if case .added(let node, _) = change {
            nameWidth = min(max(nameWidth, node.name.count), Self.nameWidths.upperBound)
        }
        return lines(at: time) + [detector.observe(change, at: time)].compactMap { line($0, time) }
    }

    /// The lines of what has come out by then of nodes that nothing was said of for a while.
    mutating func lines(at time: Date) -> [Line] {
        detector.advance(to: time).compactMap { line($0, time) }
    }

    private func line(_ change: ImageChange?, _ time: Date) -> Line? {
        guard let change else { return nil }
        if change.classification == .listLost {
            let before = change.previous.imageBytes.map { " (\(ByteText.text($0)) before)" } ?? ""
            return .talk("\(change.current.name) does not list its images any more\(before)")
        }
        guard change.classification.isOfStorage else { return nil }
        return .alert(
            format.line(
                Alert(change, cluster: cluster, time: time), width: Terminal.width,
                nameWidth: nameWidth, clusterWidth: clusterWidth,
                isColored: Terminal.outputIsColored))
    }
}

extension NodeChange {
    /// Whether it is the first sight of a node in the first list, and so no change.
    var isInitial: Bool {
        if case .added(_, let isInitial) = self { return isInitial }
        return false
    }
}
