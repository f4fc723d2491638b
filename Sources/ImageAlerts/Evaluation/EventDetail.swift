import NodeWatch

/// What a rule that tells once says of a change.
struct EventDetail {
    private var text: String?
    private var measure: Alert.Measure?

    private init(text: String?, measure: Alert.Measure?) {
        self.text = text
        self.measure = measure
    }

    /// Nil where the change is none of the rule's.
    init?(_ condition: Rule.Condition, _ change: ImageChange) {
        switch condition {
        case .storageChanged(let classifications, let least):
            guard classifications.contains(change.classification) else { return nil }
            if least > 0, abs(change.deltaBytes ?? .max) < least { return nil }
            self.init(text: nil, measure: nil)
        case .imageAppeared(let pattern):
            guard change.classification != .truncationShift else { return nil }
            self.init(pattern, change.added, "appeared")
        case .imageRemoved(let pattern):
            guard change.classification != .truncationShift else { return nil }
            self.init(pattern, change.removed, "removed")
        case .bigImage(let least):
            guard change.classification != .truncationShift,
                let image = change.added.first, image.sizeBytes >= least
            else { return nil }
            self.init(
                text: "\(image.displayName) is \(ByteText.text(image.sizeBytes)) "
                    + "(≥ \(ByteText.text(least)))",
                measure: .init(
                    value: Double(image.sizeBytes), threshold: Double(least), unit: .bytes))
        case .suddenDrop(let amount, let classifications):
            guard classifications.contains(change.classification),
                let delta = change.deltaBytes, delta < 0
            else { return nil }
            let before = change.previous.imageBytes ?? 0
            let percent = before > 0 ? Double(-delta) / Double(before) * 100 : 0
            let limit: String
            let measure: Alert.Measure
            switch amount {
            case .bytes(let least):
                guard -delta >= least else { return nil }
                limit = ByteText.text(least)
                measure = .init(value: Double(-delta), threshold: Double(least), unit: .bytes)
            case .percent(let least):
                guard percent >= least else { return nil }
                limit = PercentText.text(least)
                measure = .init(
                    value: (percent * 10).rounded() / 10, threshold: least, unit: .percent)
            }
            self.init(
                text: "\(ByteText.delta(delta)) (\(PercentText.text(percent)) of it) in one change "
                    + "(≥ \(limit)), \(change.classification.rawValue)", measure: measure)
        default: return nil
        }
    }

    private init?(_ pattern: ImagePattern, _ images: [ContainerImage], _ verb: String) {
        let matches = images.filter(pattern.matches)
        guard let first = matches.first else { return nil }
        let others = matches.count == 1 ? "" : " and \(matches.count - 1) more"
        self.init(
            text: "\(first.displayName) (\(ByteText.text(first.sizeBytes)))\(others) \(verb)",
            measure: nil)
    }

    func apply(to alert: inout Alert) {
        if let text { alert.detail = text }
        alert.measure = measure
    }
}
