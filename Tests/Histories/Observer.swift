package import ClusterSimulator
import FoundationEssentials
import ImageAlerts
package import NodeWatch

/// Reads the store's changes as the alerting does, and holds what it is told against the truth.
package final class Observer {
    private var alerting = Alerting.withoutPatience
    /// The set of images that each node was last known to have, by what has been reported.
    private var known: [String: (uid: String, images: Set<String>)] = [:]
    /// Nodes under pressure, by uid, as has been told.
    private var pressed: Set<String> = []
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
    }

    /// The program begins anew.
    package func restart(_ now: Duration) { alerting.restart(now) }

    /// Takes in what the store tells.
    package func observe(_ change: NodeChange, _ now: Duration) {
        let name = change.node.name
        let told = alerting.observe(change, now)
        switch change {
        case .added(let node, _):
            log.add(now, "added \(name)")
            // What it was before a restart is what it is compared with.
            if let known = known[name], known.uid == node.uid, !known.images.isEmpty { break }
            known[name] = (node.uid, Self.images(node))
        case .deleted(let node):
            log.add(now, "deleted \(name)")
            if cluster.node(name)?.uid == node.uid, !wasRestored {
                violations.append("a deletion of a node that is there: \(name)")
            }
            known[name] = nil
        case .updated(_, let new):
            // A list that was never seen is no change when it comes.
            if told.isEmpty, known[name]?.images.isEmpty ?? true {
                known[name] = (new.uid, Self.images(new))
            }
        }
        take(told, now)
    }

    /// Takes in how far the store is.
    package func noteVersion(_ version: ResourceVersion?, _ now: Duration) {
        take(alerting.noteVersion(version, now), now)
    }

    private func take(_ alerts: [Alert], _ now: Duration) {
        for alert in alerts { take(alert, now) }
    }

    private func take(_ alert: Alert, _ now: Duration) {
        guard let node = alert.node else { return }
        if alert.rule == Alerting.pressure.name { return take(alert, of: node) }
        alerts += 1
        let (added, removed) = (Self.images(alert.added), Self.images(alert.removed))
        log.add(now, "alert \(node.name) +\(added.count) -\(removed.count)")
        if added == removed { violations.append("an alert without a difference: \(node.name)") }
        let before = known[node.name]?.images ?? []
        if !before.isSuperset(of: removed.subtracting(added)) {
            violations.append("an alert of images that were not known: \(node.name)")
        }
        known[node.name] = (node.uid, before.subtracting(removed).union(added))
    }

    private func take(_ alert: Alert, of node: Alert.Node) {
        let isNews =
            alert.status == .firing
            ? pressed.insert(node.uid).inserted : pressed.remove(node.uid) != nil
        if !isNews { violations.append("pressure is \(alert.status) again: \(node.name)") }
    }

    private static func images(_ node: NodeSummary) -> Set<String> {
        images(node.images.map { $0.names.first ?? "" })
    }

    private static func images(_ images: [Alert.Image]) -> Set<String> {
        Self.images(images.map { $0.digest ?? $0.name })
    }

    /// By digest, which comes first: what has the same is the same, though the simulator may give it another
    /// size when a version comes twice.
    private static func images(_ names: [String]) -> Set<String> {
        Set(names.map { String($0.split(separator: "@").last ?? "") })
    }

    /// At a quiet point: the store is the server's truth, and every set has been reported as it is.
    ///
    /// - Parameter nodes: The store's.
    package func check(_ nodes: [NodeSummary], _ now: Duration) {
        wasRestored = false
        take(alerting.settle(now), now)
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
            if known[node.name]?.images != Self.images(set) {
                violations.append("\(node.name): its images were not reported as they are")
            }
        }
        let pressed = Set(truth.filter { cluster.hasDiskPressure($0.node) }.map(\.node.uid))
        if pressed != self.pressed { violations.append("pressure is told of other nodes") }
        log.add(now, "quiet: \(truth.count) nodes, \(violations.count) violations")
    }
}
