package import ClusterSimulator
package import ImageAlerts

/// What truly changed on a cluster's disks, kept by the simulator's side, and how alerts compare with it.
package final class Ledger {
    /// Images by digest, of what is on a disk and of what the kubelet reports of it.
    private struct Disk {
        var version: Int
        var time: Duration
        var all: Set<String>
        var reported: Set<String>
    }

    /// One machine, by its node's uid.
    private struct Machine {
        var name: String
        /// Until then what changes is its first state.
        var isSettled: Duration
        var disks: [Disk] = []
        /// Which of them was told last.
        var told: Int?
        /// When it was taken away.
        var end: Duration?

        /// Whether it was taken away while nobody watched, and something before it may not have been seen.
        func ends(in absence: ClosedRange<Duration>, after time: Duration) -> Bool {
            guard let end else { return false }
            return absence.contains(end) && absence.lowerBound <= time + .seconds(1)
        }

        var base: Int { told ?? max(0, (disks.lastIndex { $0.time <= isSettled } ?? 0)) }
    }

    package let cluster: Cluster
    private let clock: SimulatedClock
    private let warmUp: Duration
    private var machines: [String: Machine] = [:]
    /// When nobody watched.
    private var absences: [ClosedRange<Duration>] = []
    private var pressed: Set<String> = []
    package private(set) var alerts = 0
    /// Those of pressure among them.
    package private(set) var pressures = 0
    /// What was told, and is not so.
    package private(set) var falseAlerts: [String] = []
    /// What is so, and was not told.
    package private(set) var missed: [String] = []
    /// Changes that were told with the next, or not at all, for nobody watched when they came.
    package private(set) var merged = 0
    /// Changes of images beyond those that a kubelet lists.
    package private(set) var hidden = 0

    package var now: Duration {
        get { clock.now }
        set { clock.now = newValue }
    }

    /// Of a cluster whose nodes are all known.
    package init(_ cluster: Cluster, warmUp: Duration, _ clock: SimulatedClock) {
        self.cluster = cluster
        self.clock = clock
        self.warmUp = warmUp
        for node in cluster.snapshot().nodes { note(node.name, settled: .zero) }
    }

    /// Real changes of disks, those of new machines while they are set up not counted.
    package var changes: Int {
        machines.values.reduce(0) { count, machine in
            count + machine.disks.dropFirst().count { $0.time > machine.isSettled }
        }
    }

    /// To be called after whatever happened to a node's images, before anything else happens to it.
    package func note(_ name: String) { note(name, settled: now + warmUp) }

    private func note(_ name: String, settled: Duration) {
        guard let node = cluster.node(name) else { return }
        var machine = machines[node.uid] ?? Machine(name: name, isSettled: settled)
        defer { machines[node.uid] = machine }
        guard let names = cluster.imageNames(of: node),
            let reported = cluster.reportedImageNames(of: node)
        else { return }
        let disk = Disk(
            version: node.resourceVersion, time: now, all: Self.digests(names),
            reported: Self.digests(reported))
        if machine.disks.last?.all != disk.all { machine.disks.append(disk) }
    }

    /// To be called before a node is deleted.
    package func noteEnd(_ name: String) {
        if let node = cluster.node(name) { machines[node.uid]?.end = now }
    }

    /// From now on nobody watches, for a while. Of what is set up meanwhile nobody can say when that ended.
    package func noteAbsence(until end: Duration) {
        absences.append(now - .seconds(1)...end)
        for (uid, machine) in machines where machine.isSettled > now - .seconds(1) {
            machines[uid]!.isSettled = max(machine.isSettled, end + .seconds(75))
        }
    }

    /// Holds an alert against the truth.
    package func compare(_ alert: Alert) {
        alerts += 1
        if alert.rule == Alerting.pressure.name { return comparePressure(alert) }
        guard let node = alert.node, var machine = machines[node.uid],
            let version = alert.resourceVersion.flatMap({ Int($0) }),
            let index = machine.disks.lastIndex(where: { $0.version <= version })
        else {
            falseAlerts.append("\(alert.node?.name ?? "nobody"): no such machine")
            return
        }
        let (added, removed) = Self.difference(machine, to: index)
        let told = (Self.digests(alert.added), Self.digests(alert.removed))
        if told != (added, removed) || added.isEmpty && removed.isEmpty {
            falseAlerts.append(
                "\(node.name) at \(now): +\(told.0.count) -\(told.1.count) was told, but it is "
                    + "+\(added.count) -\(removed.count)")
        }
        noteSkipped(machine, to: index)
        machine.told = index
        machines[node.uid] = machine
    }

    /// Each begins once, and ends once.
    private func comparePressure(_ alert: Alert) {
        pressures += 1
        guard let node = alert.node else { return }
        let isNews =
            alert.status == .firing
            ? pressed.insert(node.uid).inserted : pressed.remove(node.uid) != nil
        if !isNews { falseAlerts.append("\(node.name) at \(now): pressure \(alert.status) again") }
    }

    private func noteSkipped(_ machine: Machine, to index: Int) {
        guard index > machine.base + 1 else { return }
        for skipped in machine.base + 1..<index {
            if Self.isSame(machine, from: machine.base, to: skipped) {
                hidden += 1
            } else {
                noteUntold(machine, skipped)
            }
        }
    }

    private func noteUntold(_ machine: Machine, _ index: Int) {
        let time = machine.disks[index].time
        let isPresent = !absences.contains {
            $0.contains(time) || machine.ends(in: $0, after: time)
        }
        if isPresent {
            missed.append("\(machine.name): the change at \(time)")
        } else {
            merged += 1
        }
    }

    /// At the end, when all has been told.
    package func close() {
        for node in cluster.snapshot().nodes
        where cluster.hasDiskPressure(node) != pressed.contains(node.uid) {
            missed.append("\(node.name): pressure")
        }
        for machine in machines.values.sorted(by: { $0.name < $1.name })
        where !machine.disks.isEmpty {
            let last = machine.disks.count - 1
            noteSkipped(machine, to: last)
            if last <= machine.base { continue }
            if Self.isSame(machine, from: machine.base, to: last) {
                hidden += 1
            } else if machine.end == nil {
                missed.append("\(machine.name): the change at \(machine.disks[last].time)")
            } else {
                noteUntold(machine, last)
            }
        }
    }

    /// What a list can tell of the way from what was told last to a disk.
    private static func difference(
        _ machine: Machine, to index: Int
    ) -> (added: Set<String>, removed: Set<String>) {
        let (old, new) = (machine.disks[machine.base], machine.disks[index])
        return (
            new.all.subtracting(old.all).intersection(new.reported),
            old.all.subtracting(new.all).intersection(old.reported)
        )
    }

    private static func isSame(_ machine: Machine, from base: Int, to index: Int) -> Bool {
        if base >= index { return true }
        let (added, removed) = difference(machine, to: index)
        return added.isEmpty && removed.isEmpty
    }

    private static func digests(_ names: [String]) -> Set<String> {
        Set(names.map { String($0.split(separator: "@").last ?? "") })
    }

    private static func digests(_ images: [Alert.Image]) -> Set<String> {
        digests(images.map { $0.digest ?? $0.name })
    }
}
