import FoundationEssentials
public import KubeClient
public import NodeWatch

/// What rules say of a cluster at one moment, without a past: thresholds, conditions, and images that are
/// there. Rules on changes and on silence have nothing to look at.
public struct RuleCheck: Sendable {
    /// What one rule says.
    public struct Result: Sendable {
        /// Which.
        public var rule: Rule
        /// Why nothing can be said of it at one moment; nil where something can.
        public var objection: String?
        /// How many nodes it looked at.
        public var nodeCount: Int
        /// What it found, by node. `for` is not waited for.
        public var alerts: [Alert]
    }

    /// In the order of the rules.
    public var results: [Result]

    /// Looks at nodes.
    ///
    /// - Parameters:
    ///   - rules: What to look for.
    ///   - nodes: All there are.
    ///   - readings: What kubelets said, by node.
    ///   - cluster: What the cluster is called.
    ///   - cap: Of image lists.
    public init(
        _ rules: [Rule], _ nodes: [NodeSummary], readings: [String: ImageFileSystem] = [:],
        cluster: String, cap: ImageListCap.Setting = .assumed
    ) {
        let cap = ImageListCap(cap, knowing: nodes)
        let time = Date()
        let nodes = nodes.sorted { $0.name < $1.name }
        results = rules.map { rule in
            let own = nodes.filter(rule.scope.contains)
            var result = Result(rule: rule, nodeCount: own.count, alerts: [])
            func find(_ node: NodeSummary?, _ verdict: Verdict) {
                guard verdict.isTrue else { return }
                var alert = Alert(rule, cluster: cluster, time: time)
                if let node { alert.describe(node, isTruncated: cap.isTruncated(node)) }
                alert.measure = verdict.measure
                alert.detail = verdict.detail
                if let basis = verdict.basis { alert.basis = basis }
                if let node, let reading = readings[node.name] { alert.imageFS = .init(reading) }
                alert.finish()
                result.alerts.append(alert)
            }
            switch rule.condition {
            case .high, .diskPressure, .duplicateVersions:
                for node in own {
                    find(node, Verdict(rule.condition, of: node, readings[node.name]) ?? .nothing)
                }
                if case .high(_, _, .imageFS) = rule.condition, readings.isEmpty {
                    result.objection = "no kubelet was asked; --image-fs does"
                }
            case .imageAppeared(let pattern):
                for node in own { find(node, Verdict(pattern, on: node)) }
            case .bigImage(let bytes):
                for node in own { find(node, Verdict(imagesOver: bytes, on: node)) }
            case .imageSpread(let pattern, let limit):
                var spread = Spread(pattern, limit)
                for node in own {
                    spread.take(node, before: nil, isTruncated: cap.isTruncated(node))
                }
                find(nil, spread.verdict)
            case .storageChanged, .delta, .churn, .imageRemoved, .suddenDrop:
                result.objection = "looks at changes"
            case .nodeSilent, .streamStale: result.objection = "looks at silence"
            }
            return result
        }
    }
}

extension Verdict {
    /// Images that are there and match.
    fileprivate init(_ pattern: ImagePattern, on node: NodeSummary) {
        self.init(node.images.filter(pattern.matches), "is there", nil)
    }

    /// Images that are so large.
    fileprivate init(imagesOver bytes: Int, on node: NodeSummary) {
        let images = node.images.filter { $0.sizeBytes >= bytes }
        let largest = images.map(\.sizeBytes).max() ?? 0
        self.init(
            images, "is there (≥ \(ByteText.text(bytes)))",
            .init(value: Double(largest), threshold: Double(bytes), unit: .bytes))
    }

    private init(_ images: [ContainerImage], _ words: String, _ measure: Alert.Measure?) {
        let first = images.max { $0.sizeBytes < $1.sizeBytes }
        let others = images.count > 1 ? " and \(images.count - 1) more" : ""
        self.init(
            isTrue: first != nil, measure: first == nil ? nil : measure,
            detail: first.map {
                "\($0.displayName) (\(ByteText.text($0.sizeBytes)))\(others) \(words)"
            } ?? "")
    }
}
