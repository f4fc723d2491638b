import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch

/// Makes alert lines of a cluster's changes.
struct AlertPrinter {
    /// Columns for node names: as many as the longest needs, within limits.
    private static let nameWidths = 20...48

    private let format: AlertFormat
    /// Columns for the cluster's name beside those of others; 0: it is the only one.
    private let clusterWidth: Int
    private var engine: AlertEngine
    private var delivery: AlertDelivery?
    private let position: @Sendable () -> ResourceVersion?
    private var nameWidth = Self.nameWidths.lowerBound

    /// - Parameter position: How far the view has come that changes are from.
    init(
        _ engine: AlertEngine, _ format: AlertFormat, clusterWidth: Int,
        delivery: AlertDelivery? = nil,
        position: @escaping @Sendable () -> ResourceVersion? = { nil }
    ) {
        self.format = format
        self.clusterWidth = clusterWidth
        self.engine = engine
        self.delivery = delivery
        self.position = position
    }

    /// What is said, and where.
    enum Line {
        /// On standard output.
        case alert(String, Alert)
        /// On standard error.
        case talk(String)
    }

    /// The lines of what happened to a node, and of what has come out of others by then.
    mutating func lines(_ change: NodeChange, at time: Date) -> [Line] {
        if case .added(let node, _) = change {
            nameWidth = min(max(nameWidth, node.name.count), Self.nameWidths.upperBound)
        }
        return lines(at: time) + told(engine.observe(change, at: time), time, isOfTime: false)
            + losses
    }

    /// The lines of what has come on by time alone.
    mutating func lines(at time: Date) -> [Line] {
        told(engine.advance(to: time), time) + losses
    }

    /// The lines of what a kubelet says.
    mutating func lines(
        _ reading: ImageFileSystem, of node: String, at time: Date
    ) -> [Line] {
        lines(at: time) + told(engine.observe(reading, of: node, at: time), time)
    }

    /// The lines of who has been silent for how long; the stream itself, where `stream` is given.
    mutating func lines(
        silentNodes: (Duration) -> [(node: NodeSummary, silence: Duration)],
        stream: Duration?, at time: Date
    ) -> [Line] {
        told(engine.observe(silentNodes: silentNodes, stream: stream, at: time), time)
    }

    /// Whether a store that has come so far has told all that had been told before this process.
    func hasCaughtUp(with progress: ResourceVersion?) -> Bool {
        engine.hasCaughtUp(with: progress)
    }

    /// All nodes there are have been told.
    mutating func markListed(at time: Date) -> [Line] {
        let lines = told(engine.markListed(at: time), time)
        delivery?.adopt(engine.lastingAlerts(at: time), at: time)
        return lines
    }

    /// Goes on with other rules and another delivery in the present one's place.
    mutating func replaceRules(
        _ rules: [Rule], _ next: AlertDelivery, nodes: [NodeSummary], at time: Date
    ) throws(KubeError) -> [Line] {
        if let delivery { try next.takeOver(delivery, at: time) }
        delivery = next
        let lines = told(engine.replaceRules(rules, nodes: nodes, at: time), time)
        next.adopt(engine.lastingAlerts(at: time), at: time)
        return lines
    }

    /// This process leads from now on, one of several: the lines of what it had kept to itself.
    func lead(at time: Date) -> [Line] {
        guard let delivery else { return [] }
        return delivery.lead(engine.lastingAlerts(at: time), at: time).map(line)
    }

    /// What fires now.
    func lastingAlerts(at time: Date) -> [Alert] { engine.lastingAlerts(at: time) }

    mutating func takeNodesToAsk() -> [String] { engine.takeNodesToAsk() }

    private var losses: [Line] {
        mutating get {
            engine.takeLostLists().map { change in
                let before =
                    change.previous.imageBytes.map { " (\(ByteText.text($0)) before)" } ?? ""
                return .talk("\(change.current.name) does not list its images any more\(before)")
            }
        }
    }

    /// Those that nobody silenced; sinks are told of them, too.
    private mutating func told(
        _ alerts: [Alert], _ time: Date, isOfTime: Bool = true
    ) -> [Line] {
        guard let delivery else { return alerts.map(line) }
        return delivery.deliver(
            alerts, from: &engine, at: time, position: alerts.isEmpty ? nil : position(),
            isOfTime: isOfTime
        ).map(line)
    }

    private func line(_ alert: Alert) -> Line {
        .alert(
            format.line(
                alert, width: Terminal.width, nameWidth: nameWidth, clusterWidth: clusterWidth,
                isColored: Terminal.outputIsColored), alert)
    }
}

extension NodeChange {
    /// Whether it is the first sight of a node in the first list, and so no change.
    var isInitial: Bool {
        if case .added(_, let isInitial) = self { return isInitial }
        return false
    }
}
