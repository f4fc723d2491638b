import KubeClient
import NodeWatch

/// What a rule that lasts makes of a node, or of the cluster, at a moment.
struct Verdict: Sendable, Codable {
    /// It is as bad as the rule says.
    var isTrue: Bool
    /// It is good enough for what was true to end: between the two, what was goes on.
    var isClear: Bool
    var measure: Alert.Measure?
    /// What it is, for people, without the node's name.
    var detail: String
    /// How the measure was taken, where that is not the node's own.
    var basis: String?

    static let nothing = Verdict(isTrue: false, isClear: true, detail: "")

    init(
        isTrue: Bool, isClear: Bool? = nil, measure: Alert.Measure? = nil, detail: String,
        basis: String? = nil
    ) {
        self.isTrue = isTrue
        self.isClear = isClear ?? !isTrue
        self.measure = measure
        self.detail = detail
        self.basis = basis
    }
}

extension Verdict {
    /// Of a node by what it says now; nil where the condition is of another sort.
    init?(_ condition: Rule.Condition, of node: NodeSummary, _ reading: ImageFileSystem?) {
        switch condition {
        case .high(let above, let clear, let basis):
            self.init(above, clear, basis, node, reading)
        case .diskPressure:
            self.init(
                isTrue: node.diskPressure == .isTrue,
                // Where the control plane lost sight of the node nobody knows.
                isClear: node.diskPressure == .isFalse || node.diskPressure == .absent,
                detail: "DiskPressure: the kubelet is short of disk space")
        case .duplicateVersions(let least): self.init(versionsOf: node, least)
        default: return nil
        }
    }

    private init(
        _ above: Rule.Amount, _ clear: Rule.Amount, _ basis: Rule.Basis, _ node: NodeSummary,
        _ reading: ImageFileSystem?
    ) {
        self = .nothing
        let usesReading: Bool
        switch basis {
        case .imageFS: usesReading = true
        case .reported: usesReading = false
        case .automatic: usesReading = reading != nil || node.basis == .reportedCompressed
        }
        if usesReading, reading == nil {
            // Unknown: what was goes on.
            isClear = false
            return
        }
        let place = usesReading ? "the images' filesystem" : "ephemeral storage, as reported"
        let shown = usesReading ? "imagefs" : nil
        switch (above, clear) {
        case (.percent(let high), .percent(let low)):
            guard let percent = usesReading ? reading?.percentUsed : node.percentOfCapacity else {
                isClear = false
                return
            }
            self.init(
                isTrue: percent >= high, isClear: percent < low,
                measure: .init(
                    value: (percent * 10).rounded() / 10, threshold: high, unit: .percent),
                detail: "\(PercentText.text(percent)) of \(place) (≥ \(PercentText.text(high)))",
                basis: shown)
        case (.bytes(let high), .bytes(let low)):
            guard let bytes = usesReading ? reading?.usedBytes : node.imageBytes else {
                isClear = false
                return
            }
            self.init(
                isTrue: bytes >= high, isClear: bytes < low,
                measure: .init(value: Double(bytes), threshold: Double(high), unit: .bytes),
                detail: "\(ByteText.text(bytes)) of images"
                    + (usesReading ? " on disk" : ", as reported")
                    + " (≥ \(ByteText.text(high)))", basis: shown)
        default: break
        }
    }

    private init(versionsOf node: NodeSummary, _ least: Int) {
        var versions: [String: (count: Int, bytes: Int)] = [:]
        for image in node.images {
            guard let repository = image.repository else { continue }
            let known = versions[repository] ?? (0, 0)
            versions[repository] = (
                known.count + 1, known.bytes.addingReportingOverflow(image.sizeBytes).partialValue
            )
        }
        let many = versions.filter { $0.value.count >= least }
            .sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }
        guard let first = many.first else {
            // A list that is missing says nothing.
            self.init(isTrue: false, isClear: node.imageCount > 0, detail: "")
            return
        }
        let others = many.count == 1 ? "" : ", and \(many.count - 1) more repositories"
        self.init(
            isTrue: true,
            measure: .init(
                value: Double(first.value.count), threshold: Double(least), unit: .versions),
            detail: "\(first.value.count) versions of \(first.key) "
                + "(\(ByteText.text(first.value.bytes)))\(others)")
    }
}

/// Shares for people.
enum PercentText {
    /// "87 %", "3.5 %".
    static func text(_ percent: Double) -> String {
        let tenths = Int((percent * 10).rounded())
        let isWhole = tenths % 10 == 0 || tenths >= 1000
        return isWhole ? "\(Int(percent.rounded())) %" : "\(tenths / 10).\(tenths % 10) %"
    }
}

extension Rule.Condition {
    /// Its type as one word, as reasons are written.
    var reason: String {
        switch self {
        case .storageChanged: "StorageChanged"
        case .delta: "StorageDelta"
        case .high: "StorageHigh"
        case .churn: "ImageChurn"
        case .imageAppeared: "ImageAppeared"
        case .imageRemoved: "ImageRemoved"
        case .imageSpread: "ImageSpread"
        case .bigImage: "BigImage"
        case .suddenDrop: "SuddenDrop"
        case .diskPressure: "DiskPressure"
        case .duplicateVersions: "DuplicateVersions"
        case .nodeSilent: "NodeSilent"
        case .streamStale: "StreamStale"
        }
    }
}

extension Verdict {
    /// Of a node by what changed on it lately.
    init(_ condition: Rule.Condition, _ window: ChangeWindow, _ node: NodeSummary) {
        self = .nothing
        switch condition {
        case .delta(let amount, let length):
            let delta = window.delta
            let before = (node.imageBytes ?? 0).subtractingReportingOverflow(delta).partialValue
            let percent = before > 0 ? Double(abs(delta)) / Double(before) * 100 : 0
            let (isTrue, measure, limit) = Self.compare(
                amount, bytes: abs(delta), percent: percent)
            self.init(
                isTrue: isTrue, measure: measure,
                detail: "\(ByteText.delta(delta)) within \(DurationText.text(length)) (≥ \(limit))")
        case .churn(let amount, let changes, let length):
            let moved = window.moved
            if let changes, window.count >= changes {
                self.init(
                    isTrue: true,
                    measure: .init(
                        value: Double(window.count), threshold: Double(changes), unit: .changes),
                    detail: "\(window.count) changes within \(DurationText.text(length)) "
                        + "(≥ \(changes))")
                return
            }
            guard let amount else { return }
            let percent = node.capacityBytes.map { Double(moved) / Double(max(1, $0)) * 100 } ?? 0
            let (isTrue, measure, limit) = Self.compare(amount, bytes: moved, percent: percent)
            self.init(
                isTrue: isTrue, measure: measure,
                detail: "\(ByteText.text(moved)) came and went within "
                    + "\(DurationText.text(length)) (≥ \(limit))")
        default: break
        }
    }

    private static func compare(
        _ amount: Rule.Amount, bytes: Int, percent: Double
    ) -> (isTrue: Bool, Alert.Measure, limit: String) {
        switch amount {
        case .bytes(let limit):
            (
                bytes >= limit,
                .init(value: Double(bytes), threshold: Double(limit), unit: .bytes),
                ByteText.text(limit)
            )
        case .percent(let limit):
            (
                percent >= limit,
                .init(value: (percent * 10).rounded() / 10, threshold: limit, unit: .percent),
                PercentText.text(limit)
            )
        }
    }
}
