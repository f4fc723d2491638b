import ClusterSimulator

/// An ordinary hour of a cluster, in which nothing breaks: kubelets and node-problem-detectors report,
/// images are rolled out, pulled and collected, machines are replaced and rebooted, kubelets lose their
/// lists for a while, the server forgets its history, and the client is upgraded.
package struct Routine: Happenings {
    /// How much of it, in an hour.
    package struct Options {
        package var heartbeatInterval = Duration.seconds(300)
        package var rollouts = 4
        /// Of the nodes, so many get each of them, within five minutes.
        package var rolloutShare = 0.4
        package var pulls = 1000
        package var collections = 500
        package var replacements = 100
        package var reboots = 60
        package var lostLists = 300
        package var problems = 100
        package var pressures = 200
        package var relists = 4
        package var restarts = 10

        package init() {}
    }

    fileprivate enum Event {
        case pull(String, image: String), settleIn(String, image: String)
        case collect(String), reclaim(String)
        case replace(String), addNode, deleteNode(String)
        case reboot(String), loseList(String), findList(String, SimulatedNode)
        case pressure(String, Bool), problem(String, Bool), reorder(String), relist, restart
    }

    /// Nodes are left alone for so long after what makes the alerting wait, be it restarted meanwhile.
    private static let rest = Duration.seconds(450)
    private static let shutdown = 5...90

    private let length: Duration
    private let options: Options
    private var random: SeededRandom
    private var events: [(time: Duration, event: Event)] = []
    private var nextReport = Duration.zero
    private var reports = 0
    private var pauseOfReports: Duration
    private var restUntil: [String: Duration] = [:]
    /// What has happened, by kind.
    package private(set) var counts: [String: Int] = [:]
    /// What is true, as it happens.
    private let ledger: Ledger

    package init(_ ledger: Ledger, seed: UInt64, _ length: Duration, _ options: Options) {
        self.ledger = ledger
        self.options = options
        self.length = length
        random = SeededRandom(seed: seed)
        let names = ledger.cluster.snapshot().nodes.map(\.name)
        // A kubelet's heartbeat and a node-problem-detector's, taking turns.
        pauseOfReports = options.heartbeatInterval / (2 * names.count)
        plan(names)
        events.sort { $0.time > $1.time }
    }

    package var next: Duration { min(nextReport, events.last?.time ?? nextReport) }

    // MARK: The plan

    private mutating func plan(_ names: [String]) {
        let length = length
        func scaled(_ count: Int) -> Int { count * Int(length.components.seconds) / 3600 }
        func some(_ random: inout SeededRandom) -> String {
            names[Int(random.next() % UInt64(names.count))]
        }
        for number in 0..<options.rollouts {
            let start = time(until: length - .seconds(300))
            let image = "registry.example.com/shop/cart-\(number):v\(random.next() % 1000)"
            for name in names where Double.random(in: 0..<1, using: &random) < options.rolloutShare
            {
                let delay = Duration.milliseconds(Int(random.next() % 300_000))
                events.append((start + delay, .pull(name, image: image)))
            }
        }
        for number in 0..<scaled(options.pulls) {
            let image = "registry.example.com/jobs/batch-\(number % 60):v\(number)"
            add(.pull(some(&random), image: image))
            add(.reorder(some(&random)))
        }
        for number in 0..<scaled(options.collections) {
            add(number % 3 == 0 ? .reclaim(some(&random)) : .collect(some(&random)))
        }
        for number in 0..<scaled(options.replacements) {
            switch number % 3 {
            case 0: add(.replace(some(&random)))
            case 1: add(.addNode)
            default: add(.deleteNode(some(&random)))
            }
        }
        for _ in 0..<scaled(options.reboots) { add(.reboot(some(&random))) }
        for _ in 0..<scaled(options.lostLists) { add(.loseList(some(&random))) }
        for _ in 0..<scaled(options.pressures) { add(.pressure(some(&random), true)) }
        for _ in 0..<scaled(options.problems) { add(.problem(some(&random), true)) }
        for _ in 0..<scaled(options.relists) { add(.relist) }
        // Far enough from each other to be back.
        for number in 0..<options.restarts {
            let share = length / options.restarts
            events.append((share * number + time(until: share / 2), .restart))
        }
    }

    private mutating func time(until end: Duration) -> Duration {
        end * Double.random(in: 0..<1, using: &random)
    }

    private mutating func add(_ event: Event) { events.append((time(until: length), event)) }

    /// Puts an event where it belongs among those to come.
    private mutating func insert(_ time: Duration, _ event: Event) {
        let position = events.firstIndex { $0.time <= time } ?? events.endIndex
        events.insert((time, event), at: position)
    }

    // MARK: What happens

    package mutating func happen(in scene: some Scene) {
        let now = next
        ledger.now = now
        guard let (time, event) = events.last, time == now else {
            nextReport += pauseOfReports
            report(scene.cluster)
            return
        }
        events.removeLast()
        if let name = event.node, let end = restUntil[name], end > now {
            // Not while the alerting waits for that node; nobody could tell the one from the other.
            if end < length { insert(end + .milliseconds(Int(random.next() % 5000)), event) }
            return
        }
        happen(event, now, scene)
    }

    private mutating func report(_ cluster: Cluster) {
        let nodes = cluster.snapshot().nodes
        reports += 1
        cluster.heartbeat(nodes[reports / 2 % nodes.count].name)
        counts["heartbeats", default: 0] += 1
    }

    private mutating func happen(_ event: Event, _ now: Duration, _ scene: some Scene) {
        let cluster = scene.cluster
        counts[event.kind, default: 0] += 1
        switch event {
        case .pull(let name, let image), .settleIn(let name, let image):
            let size = 5_000_000 + Int(image.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xfff_ffff })
            cluster.pull(name, image: image, sizeBytes: size)
            ledger.note(name)
        case .collect(let name):
            cluster.collectGarbage(name, freeing: 300_000_000)
            ledger.note(name)
        case .reclaim(let name):
            cluster.setDiskPressure(name, true)
            cluster.collectGarbage(name, freeing: 900_000_000)
            ledger.note(name)
            cluster.setDiskPressure(name, false)
        case .replace(let name):
            ledger.noteEnd(name)
            if cluster.replaceNode(name) != nil { welcome(name, now) }
        case .addNode: welcome(cluster.addNode(withImages: random.next() % 2 == 0).name, now)
        case .deleteNode(let name):
            ledger.noteEnd(name)
            cluster.deleteNode(name)
        case .reboot(let name):
            cluster.reboot(name)
            restUntil[name] = now + Self.rest
            if random.next() % 2 == 0 {
                let image = "registry.example.com/platform/boot:v\(random.next() % 100)"
                insert(now + .seconds(20), .settleIn(name, image: image))
            }
        case .loseList(let name):
            guard let node = cluster.node(name) else { return }
            cluster.loseImageList(name)
            restUntil[name] = now + Self.rest
            // Some stay away for longer than a kubelet's restart takes.
            let delay = Duration.seconds(random.next() % 8 == 0 ? 100 : 10 + random.next() % 40)
            insert(now + delay, .findList(name, node))
        case .findList(let name, let node):
            guard cluster.node(name)?.uid == node.uid else { return }
            cluster.findImageList(name, asOf: node)
        case .pressure(let name, let value):
            cluster.setDiskPressure(name, value)
            let length = Duration.seconds(20 + random.next() % 600)
            if value { insert(now + length, .pressure(name, false)) }
        case .problem(let name, let value):
            cluster.setFrequentRestarts(name, value)
            if value { insert(now + .seconds(60), .problem(name, false)) }
        case .reorder(let name): cluster.reorder(name)
        case .relist:
            cluster.forgetHistory()
            cluster.endWatches()
            scene.path.downUntil = now + .seconds(3)
            ledger.noteAbsence(until: now + .seconds(15))
        case .restart:
            let end = now + .seconds(Int.random(in: Self.shutdown, using: &random))
            scene.path.downUntil = end
            scene.path.restartsClient = true
            ledger.noteAbsence(until: end + .seconds(15))
        }
    }

    /// A new machine pulls what it needs.
    private mutating func welcome(_ name: String, _ now: Duration) {
        ledger.note(name)
        for number in 1...3 where now + .seconds(30 * number) < length {
            let image = "registry.example.com/platform/agent-\(number):v1"
            insert(now + .seconds(30 * number), .settleIn(name, image: image))
        }
        restUntil[name] = now + Self.rest
    }
}

extension Routine.Event {
    /// Whose event waits while the node is left alone.
    fileprivate var node: String? {
        switch self {
        case .pull(let name, _), .collect(let name), .reclaim(let name), .replace(let name),
            .deleteNode(let name), .reboot(let name), .loseList(let name), .reorder(let name):
            name
        case .settleIn, .addNode, .findList, .pressure, .problem, .relist, .restart: nil
        }
    }

    fileprivate var kind: String {
        switch self {
        case .pull, .settleIn: "pulls"
        case .collect, .reclaim: "collections"
        case .replace, .addNode, .deleteNode: "machines replaced, added or removed"
        case .reboot: "reboots"
        case .loseList: "lost lists"
        case .findList: "lists found again"
        case .pressure: "pressures and their ends"
        case .problem: "problems and their ends"
        case .reorder: "reorders"
        case .relist: "forgotten histories"
        case .restart: "restarts"
        }
    }
}
