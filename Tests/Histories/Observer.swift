package import ClusterSimulator
import FoundationEssentials
import ImageAlerts
package import NodeWatch

/// Reads the store's changes as the alerting does, and holds what it is told against the truth.
package final class Observer {
    private var detector: ImageChangeDetector
    /// The set of images that each node was last known to have, by what has been reported.
    private var known: [String: Set<String>] = [:]
    package private(set) var alerts = 0
    /// What must not be, in words.
    package private(set) var violations: [String] = []
    /// The state was set back since the last quiet point: who had been deleted may be there again.
    package var wasRestored = false
    private let cluster: Cluster
    private let log: Log

    package init(_ cluster: Cluster, _ log: Log) {
        self.cluster = cluster
        self.log = log
        var options = ImageChangeDetector.Options()
        options.cap = .none
        options.warmUp = .zero
        detector = ImageChangeDetector(options)
    }

    /// Takes in what the store tells.
    package func observe(_ change: NodeChange, _ now: Duration) {
        let name = change.node.name
        let time = Date(timeIntervalSince1970: now / .seconds(1))
        // A list that stays lost is told there, and is no alert.
        _ = detector.advance(to: time)
        let alert = detector.observe(change, at: time).flatMap {
            $0.classification.isOfStorage ? $0 : nil
        }
        switch change {
        case .added(let node, _):
            log.add(now, "added \(name)")
            known[name] = Self.images(node)
        case .deleted(let node):
            log.add(now, "deleted \(name)")
            if cluster.node(name)?.uid == node.uid, !wasRestored {
                violations.append("a deletion of a node that is there: \(name)")
            }
            known[name] = nil
        case .updated(_, let new):
            // A list that was never seen is no change when it comes.
            if alert == nil, known[name]?.isEmpty ?? true { known[name] = Self.images(new) }
        }
        guard let alert else { return }
        alerts += 1
        log.add(now, "alert \(name) +\(alert.added.count) -\(alert.removed.count)")
        let (before, after) = (Self.images(alert.previous), Self.images(alert.current))
        if before == after { violations.append("an alert without a difference: \(name)") }
        if known[name] != before {
            violations.append("an alert that begins with another set than was known: \(name)")
        }
        known[name] = after
    }

    /// By digest, which comes first: what has the same is the same, though the simulator may give it another
    /// size when a version comes twice.
    private static func images(_ node: NodeSummary) -> Set<String> {
        Set(node.images.map { $0.names.first ?? "" })
    }

    /// At a quiet point: the store is the server's truth, and every set has been reported as it is.
    ///
    /// - Parameter nodes: The store's.
    package func check(_ nodes: [NodeSummary], _ now: Duration) {
        wasRestored = false
        let truth = cluster.report()
        let kept = Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, $0) })
        let names = Set(truth.map(\.node.name))
        for name in kept.keys.sorted() where !names.contains(name) {
            violations.append("a node that is not there any more: \(name)")
        }
        for (node, images) in truth {
            guard let ours = kept[node.name] else {
                violations.append("a node is missing: \(node.name)")
                continue
            }
            let state = "\(ours.uid) \(ours.resourceVersion)"
            let actual = "\(node.uid) \(node.resourceVersion)"
            if state != actual {
                violations.append("\(node.name) is kept as \(state), but is \(actual)")
            }
            guard let set = cluster.reportedImageNames(of: node), let images, !set.isEmpty else {
                continue
            }
            if ours.imageBytes != images.bytes || ours.imageCount != images.count {
                violations.append("\(node.name) is kept with other image storage than it has")
            }
            if known[node.name] != Set(set) {
                violations.append("\(node.name): its images were not reported as they are")
            }
        }
        log.add(now, "quiet: \(truth.count) nodes, \(violations.count) violations")
    }
}
