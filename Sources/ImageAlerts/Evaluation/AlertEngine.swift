public import FoundationEssentials
public import KubeClient
public import NodeWatch

/// Makes alerts of what happens to a cluster's nodes, by rules.
///
/// It has no clock: time is what the caller says it is, and must not go back. Same input, same alerts.
/// What was due before an input comes from ``advance(to:)``, which is to be called first.
public struct AlertEngine: Sendable {
    /// What the cluster is called in alerts.
    public let cluster: String
    /// In the order in which they are looked at.
    public private(set) var rules: [Rule]

    private var detector: ImageChangeDetector
    private(set) var activations: [Subject: Activation] = [:]
    private var windows: [Subject: ChangeWindow] = [:]
    private var dues = DueDates<Subject>()
    private var cooldowns = Cooldowns()
    private var spreads: [Int: Spread] = [:]
    /// Nodes that time may bring something on for, or that rules want to know more of.
    private var nodes: [String: NodeSummary] = [:]
    private var readings = ImageFSReadings()
    /// Whether every node has been seen: else nobody knows what too few are.
    private var isListed = false
    private var lostLists: [ImageChange] = []
    /// What is not remembered yet as it is now.
    private var isRemembering = false
    private var unkeptSets: [String: NodeSummary?] = [:]
    private var unkeptSubjects: Set<Subject> = []
    /// Since when nobody had watched; nil once what happened meanwhile has been told.
    private var unwatchedSince: Date?
    private var rememberedUIDs: [String: String] = [:]
    /// Nodes seen at a time before what lasts on them began: a stream on its way to the present.
    private var pastNodes: [String: NodeSummary] = [:]
    /// Keys of what is not to be remembered any more.
    private var forgottenKeys: [String] = []
    private(set) var nodeRules: [Int] = []

    /// An engine that has seen nothing yet.
    public init(
        cluster: String, rules: [Rule] = [.storageChanged],
        detection: ImageChangeDetector.Options = .init()
    ) {
        self.cluster = cluster
        self.rules = rules
        detector = ImageChangeDetector(detection)
        prepare()
    }

    /// What follows from the rules.
    private mutating func prepare() {
        nodeRules = rules.indices.filter { !rules[$0].condition.isEvent }
        spreads = [:]
        for index in rules.indices {
            if case .imageSpread(let pattern, let limit) = rules[index].condition {
                spreads[index] = Spread(pattern, limit)
            }
        }
    }

    /// Whether a node's list is cut at the cap, as far as that can be known.
    public func isTruncated(_ node: NodeSummary) -> Bool { detector.isTruncated(node) }

    /// When ``advance(to:)`` may have something to say.
    public var nextDue: Date? {
        [detector.nextDue, dues.next].compactMap { $0 }.min()
    }

    /// Takes in what happened to a node.
    public mutating func observe(_ change: NodeChange, at time: Date) -> [Alert] {
        let imageChange = detector.observe(change, at: time)
        keepSettled()
        switch change {
        case .added(let node, let isInInitialList):
            // One that came later is in no checkpoint yet.
            if !isInInitialList { keepBase(of: node) }
            return tell(imageChange, time) + look(at: node, before: nil, time)
        case .updated(let old, let new):
            // A list that is lost takes along what it was compared with, and one that comes is what the
            // next is compared with: both are to be remembered, though they are no change.
            if old.imageCount == 0 || new.imageCount == 0 || old.bootID != new.bootID {
                keepBase(of: new)
            }
            return tell(imageChange, time) + look(at: new, before: old, time)
        case .deleted(let node): return forget(node, time)
        }
    }

    /// Takes in that all nodes there are have been told. Returns the ends of what was remembered of others.
    public mutating func markListed(at time: Date) -> [Alert] {
        if isListed { return [] }
        isListed = true
        let late = detector.settle(time).flatMap { tell($0, time) }
        unwatchedSince = nil
        for index in spreads.keys { dues[Subject(rule: index, node: "")] = time }
        defer { rememberedUIDs = [:] }
        // They will not come any later: the server has gone back.
        let past = pastNodes.sorted { $0.key < $1.key }.map(\.value)
        pastNodes = [:]
        return late + past.flatMap { look(at: $0, before: nil, time) } + endUnseen(time)
    }

    /// Takes in what a kubelet says of the filesystem of a node's images.
    public mutating func observe(
        _ reading: ImageFileSystem, of name: String, at time: Date
    ) -> [Alert] {
        guard let node = readings.take(reading, of: name) else { return [] }
        return evaluate(node, time) { if case .high = $0 { true } else { false } }
    }

    /// What has come on by then by time alone.
    public mutating func advance(to time: Date) -> [Alert] {
        let changes = detector.advance(to: time)
        keepSettled()
        var alerts = changes.flatMap { tell($0, time) }
        for subject in dues.take(time) { alerts += wake(subject, time) }
        return alerts
    }

    /// Nodes that have not listed their images for a while, since the last call. Unless a rule asks for
    /// that, it is no alert.
    public mutating func takeLostLists() -> [ImageChange] {
        defer { lostLists = [] }
        return lostLists
    }

    /// Nodes whose kubelets rules want to hear of, since the last call.
    public mutating func takeNodesToAsk() -> [String] { readings.takeNodesToAsk() }

    /// Whether all that had been told before the restart must have come again with a resourceVersion.
    package func hasCaughtUp(with version: ResourceVersion?) -> Bool {
        guard detector.hasCaughtUp(with: version), let version else { return false }
        return activations.values.allSatisfy { activation in
            activation.resourceVersion.flatMap { ResourceVersion($0) }
                .map { !version.isOutdated(by: $0) } ?? true
        }
    }

    // MARK: Changes

    /// What rules make of a change.
    private mutating func tell(_ change: ImageChange?, _ time: Date) -> [Alert] {
        guard let change else { return [] }
        if change.classification == .listLost { lostLists.append(change) }
        keepBase(of: change.current)
        var alerts: [Alert] = []
        for index in rules.indices where rules[index].scope.contains(change.current) {
            if rules[index].condition.isEvent {
                guard let detail = EventDetail(rules[index].condition, change) else { continue }
                if let alert = tell(detail, index, change, time) { alerts.append(alert) }
            } else if change.classification.isOfStorage {
                alerts += widen(index, change, time)
            }
        }
        return alerts
    }

    private mutating func tell(
        _ detail: EventDetail, _ index: Int, _ change: ImageChange, _ time: Date
    ) -> Alert? {
        let rule = rules[index]
        let subject = Subject(rule: index, node: change.current.name)
        guard let suppressed = cooldowns.begin(subject, rule.cooldown, time) else { return nil }
        var alert = Alert(rule, cluster: cluster, time: time)
        alert.describe(change)
        alert.suppressed = suppressed
        detail.apply(to: &alert)
        if let unwatchedSince { alert.happened(after: unwatchedSince) }
        alert.finish()
        return alert
    }

    /// Adds a change to a rule's window of it.
    private mutating func widen(_ index: Int, _ change: ImageChange, _ time: Date) -> [Alert] {
        let length: Duration
        switch rules[index].condition {
        case .delta(_, let window), .churn(_, _, let window): length = window
        default: return []
        }
        let subject = Subject(rule: index, node: change.current.name)
        windows[subject, default: ChangeWindow(length)].add(change, at: time)
        windows[subject]?.expire(time)
        nodes[change.current.name] = change.current
        if isRemembering { unkeptSubjects.insert(subject) }
        return step(subject, change.current, verdict(subject, change.current), time)
    }

    // MARK: What lasts

    /// What rules make of a node as it is now.
    private mutating func look(
        at node: NodeSummary, before: NodeSummary?, _ time: Date
    ) -> [Alert] {
        for index in spreads.keys where rules[index].scope.contains(node) {
            spreads[index]?.take(
                node, before: before, isTruncated: detector.isTruncated(node))
            dues[Subject(rule: index, node: "")] = time
        }
        if nodeRules.isEmpty { return [] }
        readings.look(at: node, before, rules, nodeRules)
        return evaluate(node, time) { _ in true }
    }

    private mutating func evaluate(
        _ node: NodeSummary, _ time: Date, _ isWanted: (Rule.Condition) -> Bool
    ) -> [Alert] {
        var alerts: [Alert] = []
        pastNodes[node.name] = nil
        for index in nodeRules where isWanted(rules[index].condition) {
            let subject = Subject(rule: index, node: node.name)
            if isPast(node, subject) {
                pastNodes[node.name] = node
                continue
            }
            // A node that has left a rule's scope is none of its concern any more.
            let verdict =
                rules[index].scope.contains(node)
                ? Verdict(rules[index].condition, of: node, readings[node.name])
                : activations[subject] == nil ? nil : .nothing
            guard let verdict else { continue }
            // Near the threshold, or over it: what follows matters.
            if !verdict.isClear { readings.askAgain(node.name) }
            alerts += step(subject, node, verdict, time)
        }
        return alerts
    }

    /// Whether a node is seen at a time before that at which what lasts on it began.
    private func isPast(_ node: NodeSummary, _ subject: Subject) -> Bool {
        guard !isListed, isRemembering, let activation = activations[subject],
            let start = activation.resourceVersion.flatMap({ ResourceVersion($0) })
        else { return false }
        return node.version.isOutdated(by: start)
    }

    private func verdict(_ subject: Subject, _ node: NodeSummary?) -> Verdict {
        let condition = rules[subject.rule].condition
        if let spread = spreads[subject.rule] { return isListed ? spread.verdict : .nothing }
        if condition.isOfSilence { return activations[subject]?.latest ?? .nothing }
        guard let node else { return .nothing }
        if let window = windows[subject] { return Verdict(condition, window, node) }
        return Verdict(condition, of: node, readings[node.name]) ?? .nothing
    }

    /// Time has come for a rule to look again.
    private mutating func wake(_ subject: Subject, _ time: Date) -> [Alert] {
        let node = nodes[subject.node]
        // Of a node that was remembered: until it is seen nobody knows.
        if !subject.node.isEmpty, node == nil { return [] }
        windows[subject]?.expire(time)
        let alerts = step(subject, node, verdict(subject, node), time)
        if windows[subject]?.isEmpty ?? false { windows[subject] = nil }
        if isRemembering { unkeptSubjects.insert(subject) }
        settle(subject)
        return alerts
    }

    mutating func step(
        _ subject: Subject, _ node: NodeSummary?, _ verdict: Verdict, _ time: Date
    ) -> [Alert] {
        guard var activation = activations[subject] ?? begin(subject, node, verdict, time) else {
            settle(subject)
            return []
        }
        let rule = rules[subject.rule]
        let (step, isOver) = activation.step(verdict, rule, time)
        activations[subject] = isOver ? nil : activation
        if isRemembering { unkeptSubjects.insert(subject) }
        if let node, !isOver { nodes[subject.node] = node }
        settle(subject)
        return step.map { [alert($0, activation, rule, node, time)] } ?? []
    }

    private func begin(
        _ subject: Subject, _ node: NodeSummary?, _ verdict: Verdict, _ time: Date
    ) -> Activation? {
        guard verdict.isTrue else { return nil }
        var frame = Alert(rules[subject.rule], cluster: cluster, time: time)
        if let node { frame.describe(node, isTruncated: isTruncated(node)) }
        return Activation(
            verdict, since: time, resourceVersion: node?.resourceVersion, imageSet: frame.imageSet)
    }

    /// Keeps what a subject waits for, and lets go of what it does not need any more.
    private mutating func settle(_ subject: Subject) {
        dues[subject] = [activations[subject]?.due, windows[subject]?.nextDue]
            .compactMap { $0 }.min()
        if !subject.node.isEmpty, nodes[subject.node] != nil, activations[subject] == nil,
            windows[subject] == nil,
            !rules.indices.contains(where: {
                let other = Subject(rule: $0, node: subject.node)
                return activations[other] != nil || windows[other] != nil
            })
        {
            nodes[subject.node] = nil
        }
    }

    func alert(
        _ step: Activation.Step, _ activation: Activation, _ rule: Rule, _ node: NodeSummary?,
        _ time: Date
    ) -> Alert {
        var alert = Alert(rule, cluster: cluster, time: time)
        if let node { alert.describe(node, isTruncated: isTruncated(node)) }
        alert.status = step == .begins ? .firing : .resolved
        alert.startsAt = Alert.text(activation.since)
        alert.measure = activation.verdict.measure
        alert.detail = activation.verdict.detail
        if let basis = activation.verdict.basis { alert.basis = basis }
        if let node, let reading = readings[node.name] { alert.imageFS = .init(reading) }
        alert.adoptIdentity(
            resourceVersion: activation.resourceVersion, imageSet: activation.imageSet)
        return alert
    }

    /// A node that something waits for.
    func node(_ name: String) -> NodeSummary? { nodes[name] }

    // MARK: Memory

    private mutating func keepSettled() {
        for node in detector.takeSettled() { keepBase(of: node) }
    }

    /// To be called after the detector was told.
    private mutating func keepBase(of node: NodeSummary) {
        guard isRemembering, let base = detector.base(of: node) else { return }
        unkeptSets[node.name] = .some(base)
    }

    /// What is to be remembered beyond this process, as texts by key, since the last call. Nil: no more.
    package mutating func takeMemory() -> [(key: String, value: String?)] {
        defer {
            unkeptSets = [:]
            unkeptSubjects = []
            forgottenKeys = []
        }
        var memory = forgottenKeys.map { (key: $0, value: String?.none) }
        memory += unkeptSets.map { name, node in
            (EngineMemory.setKey(name), node.flatMap { EngineMemory.text(KeptSet($0)) })
        }
        for subject in unkeptSubjects {
            let rule = rules[subject.rule].name
            let kept = activations[subject].map {
                KeptActivation(activation: $0, uid: nodes[subject.node]?.uid ?? "")
            }
            memory.append(
                (
                    EngineMemory.activationKey(rule, subject.node),
                    kept.flatMap { EngineMemory.text($0) }
                ))
            memory.append(
                (
                    EngineMemory.windowKey(rule, subject.node),
                    windows[subject].flatMap { EngineMemory.text($0) }
                ))
        }
        return memory
    }

    /// Takes in what was remembered, before anything else, and begins to remember. Of rules that are not
    /// there any more, nothing.
    package mutating func restore(_ memory: [String: String], unwatchedSince: Date?) {
        self.unwatchedSince = unwatchedSince
        detector.restore(watchedUntil: unwatchedSince)
        isRemembering = true
        for (key, text) in memory {
            let parts = EngineMemory.parts(key)
            if parts.count == 2, parts[0] == "set" {
                if let kept: KeptSet = EngineMemory.value(text) {
                    detector.restore(kept.node(parts[1]))
                }
                continue
            }
            guard parts.count == 3, let rule = rules.firstIndex(where: { $0.name == parts[1] })
            else { continue }
            let subject = Subject(rule: rule, node: parts[2])
            if parts[0] == "active", let kept: KeptActivation = EngineMemory.value(text) {
                activations[subject] = kept.activation
                rememberedUIDs[subject.node] = kept.uid
                dues[subject] = kept.activation.due
            } else if parts[0] == "window", let window: ChangeWindow = EngineMemory.value(text) {
                windows[subject] = window
            }
        }
    }

    /// What lasts of nodes that are not there any more is over.
    private mutating func endUnseen(_ time: Date) -> [Alert] {
        let unseen = Set(
            activations.keys.filter { !$0.node.isEmpty && nodes[$0.node] == nil }.map(\.node))
        return unseen.sorted().flatMap { name in
            let contents = NodeSummary.Contents(name: name, uid: rememberedUIDs[name] ?? "")
            return forget(NodeSummary(contents), time)
        }
    }

    // MARK: Other rules

    /// Goes on with other rules. What lasts by a rule that stays as it is goes on; what lasts by another is
    /// over.
    ///
    /// - Parameter nodes: All that there are.
    public mutating func replaceRules(
        _ rules: [Rule], nodes: [NodeSummary], at time: Date
    ) -> [Alert] {
        var places: [Int: Int] = [:]
        for (index, rule) in self.rules.enumerated() {
            places[index] = rules.firstIndex(of: rule)
        }
        let ends = activations.keys.filter { places[$0.rule] == nil }.sorted()
            .flatMap { end($0, time) }
        if isRemembering {
            for subject in windows.keys where places[subject.rule] == nil { forgetKeys(subject) }
        }
        activations = activations.moved(places)
        windows = windows.moved(places)
        cooldowns = cooldowns.moved(places)
        unkeptSubjects = Set(unkeptSubjects.compactMap { $0.moved(places) })
        self.rules = rules
        prepare()
        dues = DueDates()
        let waiting = Set(activations.keys.map(\.node)).union(windows.keys.map(\.node))
        self.nodes = self.nodes.filter { waiting.contains($0.key) }
        for subject in Set(activations.keys).union(windows.keys) { settle(subject) }
        return ends + nodes.flatMap { look(at: $0, before: nil, time) }
    }

    /// What lasts by a rule is over with it.
    private mutating func end(_ subject: Subject, _ time: Date) -> [Alert] {
        guard var activation = activations.removeValue(forKey: subject) else { return [] }
        if isRemembering { forgetKeys(subject) }
        if activation.phase == .pending { return [] }
        activation.verdict.detail += "; the rule is gone"
        return [alert(.ends, activation, rules[subject.rule], nodes[subject.node], time)]
    }

    private mutating func forgetKeys(_ subject: Subject) {
        let name = rules[subject.rule].name
        forgottenKeys.append(EngineMemory.activationKey(name, subject.node))
        forgottenKeys.append(EngineMemory.windowKey(name, subject.node))
    }

    // MARK: Nodes that go

    private mutating func forget(_ node: NodeSummary, _ time: Date) -> [Alert] {
        for index in spreads.keys {
            spreads[index]?.forget(node.name)
            dues[Subject(rule: index, node: "")] = time
        }
        if isRemembering, !detector.awaits(node.name) { unkeptSets[node.name] = .some(nil) }
        readings.forget(node.name)
        cooldowns.forget(node.name)
        var alerts: [Alert] = []
        for index in nodeRules {
            let subject = Subject(rule: index, node: node.name)
            windows[subject] = nil
            if var activation = activations.removeValue(forKey: subject),
                activation.phase != .pending
            {
                activation.verdict.detail += "; the node is gone"
                alerts.append(alert(.ends, activation, rules[index], node, time))
            }
            dues[subject] = nil
            if isRemembering { unkeptSubjects.insert(subject) }
        }
        nodes[node.name] = nil
        pastNodes[node.name] = nil
        return alerts
    }
}
