package import ClusterSimulator
import ImageAlerts
package import NodeWatch

/// Reads the store's changes as the alerting does, and holds what it is told against the truth.
package final class Observer {
    private let hub: Hub<NodeTable>
    private let id: Int
    private var detector = ImageChangeDetector(cap: .none)
    /// The set of images that each node was last known to have, by what has been reported.
    private var known: [String: Set<String>] = [:]
    package private(set) var alerts = 0
    /// What must not be, in words.
    package private(set) var violations: [String] = []
    /// The state was set back since the last quiet point: who had been deleted may be there again.
    package var wasRestored = false
    private let cluster: Cluster
    private let log: Log

    package init(_ hub: Hub<NodeTable>, _ cluster: Cluster, _ log: Log) {
        self.hub = hub
        self.cluster = cluster
        self.log = log
        id = hub.subscribe(queueLimit: 10_000).id
    }

    /// Takes in what has happened.
    package func drain(_ now: Duration) {
        while true {
            let changes = hub.next(id)
            if changes.isEmpty { return }
            for change in changes { observe(change, now) }
        }
    }

    private func observe(_ change: NodeChange, _ now: Duration) {
        let name = change.node.name
        let alert = detector.observe(change)
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

    private static func images(_ node: NodeSummary) -> Set<String> {
        Set(node.images.map { "\($0.names.first ?? "") \($0.sizeBytes)" })
    }

    /// At a quiet point: the store is the server's truth, and every set has been reported as it is.
    package func check(_ now: Duration) {
        wasRestored = false
        let truth = cluster.report()
        let table = hub.table
        let kept = Dictionary(uniqueKeysWithValues: table.entries.map { ($0.summary.name, $0) })
        for name in kept.keys.sorted() where !truth.contains(where: { $0.node.name == name }) {
            violations.append("a node that is not there any more: \(name)")
        }
        for (node, images) in truth {
            guard let entry = kept[node.name] else {
                violations.append("a node is missing: \(node.name)")
                continue
            }
            let ours = "\(entry.summary.uid) \(entry.version.string)"
            let theirs = "\(node.uid) \(node.resourceVersion)"
            if ours != theirs {
                violations.append("\(node.name) is kept as \(ours), but is \(theirs)")
            }
            guard let set = cluster.reportedImageSet(of: node), let images, !set.isEmpty else {
                continue
            }
            if entry.summary.imageBytes != images.bytes || entry.summary.imageCount != images.count
            {
                violations.append("\(node.name) is kept with other image storage than it has")
            }
            if known[node.name] != Set(set.map { "\($0.name) \($0.bytes)" }) {
                violations.append("\(node.name): its images were not reported as they are")
            }
        }
        log.add(now, "quiet: \(truth.count) nodes, \(violations.count) violations")
    }
}
