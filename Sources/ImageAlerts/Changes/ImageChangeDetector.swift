public import FoundationEssentials
public import NodeWatch

/// Finds image changes among node changes.
///
/// No change are: the first sight of a node and what it pulls while it warms up, a heartbeat, a list in
/// another order, and a new tag on the same digest. A list that is missing or empty is unknown, not
/// zero: the last known set stays and is compared with the next one. What may only look like a change
/// of the images on a machine is told as such: see ``ImageChange/Classification/isOfStorage``.
///
/// Time is what the caller says it is, and must not go back.
public struct ImageChangeDetector: Sendable {
    /// How patient a detector is.
    public struct Options: Sendable {
        /// The cap of image lists.
        public var cap = ImageListCap.Setting.assumed
        /// For so long after its creation or a reboot a node's images are not compared: a kubelet
        /// begins with a list that is missing or short, and pulls what every node needs. What a new
        /// node has then is its first state; after a reboot it is compared with what was before.
        public var warmUp = Duration.seconds(120)
        /// A list that is missing or empty for longer is lost; sooner, the kubelet was restarted.
        public var lostListPatience = Duration.seconds(60)

        /// The defaults.
        public init() {}
    }

    /// How long a deleted node is remembered for the case that another of its name comes.
    private static let memoryOfDeleted = TimeInterval(600)

    /// So long what happened to a new node while nobody watched may take to come.
    private static let patienceWithUnwatched = TimeInterval(60)

    private let options: Options
    private var cap: ImageListCap
    private var onHold = NodesOnHold()
    private var youth: Youth
    private var youthBefore: Youth
    /// Until when nodes had been watched before this process.
    private var watchedUntil: Date?
    /// Nil: nobody takes them.
    private var settled: [NodeSummary]?
    /// The latest of the sets that were known before this process.
    private var restoredVersion: ResourceVersion?

    /// Starts with what nodes that are there say about caps; with none it learns as they come.
    public init(_ options: Options = Options(), knowing nodes: [NodeSummary] = []) {
        self.options = options
        cap = ImageListCap(options.cap, knowing: nodes)
        youth = Youth(options.warmUp / .seconds(1))
        youthBefore = youth
    }

    /// Whether a node's list is cut at the cap, as far as that can be known.
    public func isTruncated(_ node: NodeSummary) -> Bool { cap.isTruncated(node) }

    /// When ``advance(to:)`` may have something to say.
    public var nextDue: Date? { onHold.nextDue }

    /// Takes in what happened to a node. Returns what it means for its images, if anything.
    ///
    /// - Parameters:
    ///   - change: What happened.
    ///   - time: When. What was due before comes from ``advance(to:)``, which is to be called first.
    public mutating func observe(_ change: NodeChange, at time: Date) -> ImageChange? {
        switch change {
        case .added(let node, let isInInitialList):
            cap.learn(node)
            return begin(node, isInInitialList, time)
        case .deleted(let node):
            // One that had this name before the one that is remembered.
            if let kept = onHold[node.name], kept.reason == .isRestored, let base = kept.base,
                !base.isSameObject(as: node)
            {
                return nil
            }
            let base = onHold[node.name]?.base ?? node
            onHold[node.name] =
                base.imageCount == 0
                ? nil
                : .init(
                    .isGone, base: base, node, due: time.addingTimeInterval(Self.memoryOfDeleted))
            return nil
        case .updated(let old, let new):
            cap.learn(new)
            if let kept = onHold[new.name], kept.reason == .isRestored {
                return resume(kept, new, time)
            }
            if !old.isSameObject(as: new) {
                recreate(onHold[new.name]?.base ?? old, new, time)
                return nil
            }
            if isRebooted(old, new), hold(old, new, time) { return nil }
            return update(old, new, time)
        }
    }

    /// What has come out by then of nodes that nothing was said of for a while, in the order of names.
    public mutating func advance(to time: Date) -> [ImageChange] {
        onHold.takeDue(time).compactMap { name, node in
            if node.reason != .isGone { settled?.append(node.latest) }
            switch node.reason {
            case .isNew, .isGone, .isRestored: return nil
            case .isRecreated: return compare(node, as: .nodeRecreated)
            case .hasLostList: return lose(name, node)
            case .isRebooted:
                if node.latest.imageCount > 0 { return compare(node, as: .rebooted) }
                return lose(name, node)
            }
        }
    }

    // MARK: Nodes on hold

    private mutating func begin(
        _ node: NodeSummary, _ isInInitialList: Bool, _ time: Date
    ) -> ImageChange? {
        let before = onHold[node.name]
        if let before, before.reason == .isRestored { return resume(before, node, time) }
        if let before, before.reason == .isGone, let base = before.base,
            !base.isSameObject(as: node)
        {
            recreate(base, node, time)
        } else {
            var end = youth.end(of: node, time)
            // Who was young when nobody watched any more: when it had its first state nobody knows.
            if isInInitialList, let watchedUntil, youthBefore.end(of: node, watchedUntil) != nil {
                end = max(end ?? time, time + Self.patienceWithUnwatched)
            }
            onHold[node.name] = end.map { .init(.isNew, base: nil, node, due: $0) }
        }
        return nil
    }

    /// Compares with a set that was known before this process, as soon as the node is seen as late as that:
    /// what a stream tells anew on its way there has been told.
    private mutating func resume(
        _ kept: NodesOnHold.Node, _ node: NodeSummary, _ time: Date
    ) -> ImageChange? {
        guard let base = kept.base, !node.version.isOutdated(by: base.version) else {
            var waiting = kept
            waiting.update(node)
            onHold[node.name] = waiting
            return nil
        }
        onHold[node.name] = nil
        return observe(.updated(old: base, new: node), at: time)
    }

    /// The stream has come to the present: what is not as late as it was known before will not be, for the
    /// server has gone back to an earlier state.
    mutating func settle(_ time: Date) -> [ImageChange] {
        onHold.takeRestored().compactMap { name, kept in
            guard let base = kept.base, kept.latest.resourceVersion != base.resourceVersion else {
                return nil
            }
            return observe(.updated(old: base, new: kept.latest), at: time)
        }
    }

    /// Takes until when there was somebody who watched before this process.
    /// From now on who has settled waits to be taken.
    mutating func restore(watchedUntil time: Date?) {
        watchedUntil = time
        settled = []
    }

    /// Takes a node's set that was known before this process.
    mutating func restore(_ base: NodeSummary) {
        var node = NodesOnHold.Node(.isRestored, base: base, base, due: .distantPast)
        node.due = nil
        onHold[base.name] = node
        if restoredVersion?.isOutdated(by: base.version) ?? true { restoredVersion = base.version }
    }

    /// Whether a node has not been seen yet as late as it was known before this process.
    func awaits(_ name: String) -> Bool { onHold[name]?.reason == .isRestored }

    /// What a node's next set will be compared with, as far as that is worth to be known beyond this
    /// process: nil where it is known there, or is to be what a new node has at the end.
    func base(of node: NodeSummary) -> NodeSummary? {
        guard let held = onHold[node.name] else { return node.imageCount > 0 ? node : nil }
        switch held.reason {
        case .isRestored, .isNew, .isRecreated: return nil
        case .isRebooted, .hasLostList, .isGone:
            return held.base.flatMap { $0.imageCount > 0 ? $0 : nil }
        }
    }

    /// Nodes that nothing is waited for any more, since the last call.
    mutating func takeSettled() -> [NodeSummary] {
        defer { if settled != nil { settled = [] } }
        return settled ?? []
    }

    /// Whether a stream that is there has told all that was known before this process.
    func hasCaughtUp(with version: ResourceVersion?) -> Bool {
        guard let version else { return false }
        return restoredVersion.map { !version.isOutdated(by: $0) } ?? true
    }

    private mutating func recreate(_ base: NodeSummary, _ node: NodeSummary, _ time: Date) {
        onHold[node.name] = .init(
            base.imageCount > 0 ? .isRecreated : .isNew, base: base, node,
            due: youth.end(of: node, time) ?? time)
    }

    private func isRebooted(_ old: NodeSummary, _ new: NodeSummary) -> Bool {
        guard let before = old.bootID, let now = new.bootID else { return false }
        return before != now
    }

    /// Holds a node that was rebooted. False where nobody wants to wait.
    private mutating func hold(_ old: NodeSummary, _ new: NodeSummary, _ time: Date) -> Bool {
        guard options.warmUp > .zero else { return false }
        var node = onHold[new.name] ?? .init(.isRebooted, base: old, new, due: time)
        node.update(new)
        // A new node may be rebooted as a part of being set up.
        if node.reason == .hasLostList { node.reason = .isRebooted }
        node.due = time.addingTimeInterval(options.warmUp / .seconds(1))
        onHold[new.name] = node
        return true
    }

    private mutating func update(
        _ old: NodeSummary, _ new: NodeSummary, _ time: Date
    ) -> ImageChange? {
        guard var node = onHold[new.name] else {
            if old.hasSameImageEntries(as: new) { return nil }
            if new.imageCount > 0 { return compare(.init(.hasLostList, base: old, new, due: time)) }
            if old.imageCount > 0 {
                let patience = options.lostListPatience / .seconds(1)
                onHold[new.name] = .init(
                    .hasLostList, base: old, new, due: time.addingTimeInterval(patience))
            }
            return nil
        }
        node.update(new)
        guard node.reason == .hasLostList, new.imageCount > 0 else {
            onHold[new.name] = node
            return nil
        }
        onHold[new.name] = nil
        settled?.append(new)
        return compare(node)
    }

    /// The list did not come back in time. The last known set stays, for when it does.
    private mutating func lose(_ name: String, _ node: NodesOnHold.Node) -> ImageChange? {
        guard let base = node.base, base.imageCount > 0 else { return nil }
        var lost = node
        lost.reason = .hasLostList
        lost.due = nil
        onHold[name] = lost
        return ImageChange(
            classification: .listLost, previous: base, current: node.latest,
            resourceVersion: node.setVersion, added: [], removed: [],
            previousIsTruncated: isTruncated(base), isTruncated: false)
    }

    // MARK: Comparing

    /// How a node differs from its base; nil where it does not, or one of them is unknown.
    private func compare(
        _ node: NodesOnHold.Node, as classification: ImageChange.Classification? = nil
    ) -> ImageChange? {
        let new = node.latest
        guard let base = node.base, base.imageCount > 0, new.imageCount > 0 else { return nil }
        let (before, after) = (base.images, new.images)
        let wasTruncated = isTruncated(base)
        let isTruncated = isTruncated(new)
        let all = ImageSetDifference(from: before, to: after)
        if all.isEmpty { return nil }
        var sure = all
        sure.discountTruncation(
            from: .init(before, isTruncated: wasTruncated),
            to: .init(after, isTruncated: isTruncated))
        let shown = sure.isEmpty ? all : sure
        let isUnderPressure = base.diskPressure == .isTrue || new.diskPressure == .isTrue
        return ImageChange(
            classification: sure.isEmpty
                ? .truncationShift
                : classification
                    ?? ImageChange.Classification(shown, underDiskPressure: isUnderPressure),
            previous: base, current: new, resourceVersion: node.setVersion,
            added: shown.added.largestFirst, removed: shown.removed.largestFirst,
            previousIsTruncated: wasTruncated, isTruncated: isTruncated)
    }
}

/// Whether nodes have been there for long.
private struct Youth {
    private let length: TimeInterval
    /// Creation times since which a node is young, and the second they were made for.
    private var threshold = (second: Int.min, text: "")

    init(_ length: TimeInterval) { self.length = length }

    /// When a young node has warmed up; nil where it has.
    mutating func end(of node: NodeSummary, _ time: Date) -> Date? {
        guard length > 0, let created = node.creationTimestamp else { return nil }
        let start = time.addingTimeInterval(-length)
        let second = Int(start.timeIntervalSince1970.rounded(.down))
        if second != threshold.second {
            threshold = (second, Date.ISO8601FormatStyle().format(start))
        }
        // Times of one form compare as texts do: of the many nodes of a first list none is parsed.
        guard created > threshold.text else { return nil }
        let end = time.addingTimeInterval(length)
        guard let date = try? Date.ISO8601FormatStyle().parse(created) else { return end }
        // A server whose clock is ahead of ours makes nobody wait longer.
        return min(end, date.addingTimeInterval(length))
    }
}

extension ImageSetDifference.TruncatedList {
    init(_ images: [ContainerImage], isTruncated: Bool) {
        self.isTruncated = isTruncated
        smallestBytes = images.map(\.sizeBytes).min() ?? 0
    }
}

extension [ContainerImage] {
    fileprivate var largestFirst: [ContainerImage] {
        sorted { ($0.sizeBytes, $1.displayName) > ($1.sizeBytes, $0.displayName) }
    }
}
