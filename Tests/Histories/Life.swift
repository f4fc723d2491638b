package import ClusterSimulator

/// What happens by itself in a history: kubelets report, images come and go, nodes too, and everything
/// goes wrong. Storms of faults take turns with calms in which all must come right.
package struct Life: Happenings {
    /// How much of it.
    package struct Options {
        package var nodes = 200
        package var heartbeatInterval = Duration.seconds(300)
        package var storm = Duration.seconds(3000)
        /// Longer than any detection of blindness and any wait take together.
        package var calm = Duration.seconds(400)
        package var meanChange = Duration.seconds(20)
        package var meanFault = Duration.seconds(1)
        /// How long what lasts lasts.
        package var stall = Duration.milliseconds(100)...Duration.seconds(4)
        package var refusal = Duration.seconds(1)...Duration.seconds(5)
        package var outage = Duration.seconds(60)...Duration.seconds(600)
        /// One outage in eight.
        package var longOutage = Duration.seconds(600)...Duration.seconds(9000)
        /// Nothing else goes wrong for so long after what takes time to notice: silence, a list that has no
        /// end, a state that was set back.
        package var silence = Duration.seconds(150)
        package var endlessList = Duration.seconds(40)
        package var restoration = Duration.seconds(90)
        /// A backup is at least so old when it is restored: the cluster must not outrun what the client had
        /// seen before the client is back.
        package var backupAge = Duration.seconds(600)
        /// Seconds that a 429 asks for.
        package var retryAfter = 1...3
        /// Bytes a second of what comes slowly.
        package var drip = 20_000...200_000
        /// So many times more of what is rare.
        package var rareTimes = 1
        /// What goes wrong.
        package var kinds = FaultKind.allCases.filter { $0 != .goAway }

        package init() {}
    }

    private let options: Options
    private let churn: Churn
    private var random: SeededRandom
    private var nextHeartbeat = Duration.zero
    private var nextChange = Duration.zero
    private var nextFault = Duration.zero
    private var phaseEnds: Duration
    private var isStorm = true
    private var beats = 0
    /// When the state was backed up that a restore would go back to.
    private var backupAt: Duration?
    package private(set) var faults: [FaultKind: Int] = [:]
    /// Called at the end of each calm.
    package var check: (Duration) -> Void = { _ in }
    /// Called when the cluster's state is set back.
    package var restored: () -> Void = {}

    package init(_ cluster: Cluster, seed: UInt64, _ options: Options) {
        self.options = options
        churn = Churn(cluster, Churn.Options())
        random = SeededRandom(seed: seed)
        phaseEnds = options.storm
        nextFault = options.meanFault
    }

    package var faultCount: Int { faults.values.reduce(0, +) }

    package var next: Duration { min(nextHeartbeat, nextChange, nextFault, phaseEnds) }

    package mutating func happen(in scene: some Scene) {
        let due = next
        if due == phaseEnds {
            turn(scene)
        } else if due == nextFault {
            nextFault = due + pause(options.meanFault)
            fault(scene, due)
        } else if due == nextChange {
            nextChange = due + pause(options.meanChange)
            change(scene)
        } else {
            nextHeartbeat = due + options.heartbeatInterval / options.nodes
            beat(scene)
        }
    }

    /// Exponentially distributed, as what happens independently is.
    private mutating func pause(_ mean: Duration) -> Duration {
        let chance = Double.random(in: 1e-9...1, using: &random)
        // Without a logarithm, which differs from library to library in the last bit: half and half.
        var halvings = 0
        var rest = chance
        while rest < 0.5 {
            rest *= 2
            halvings += 1
        }
        let fraction = Double(halvings) + 2 * (1 - rest)
        return max(.milliseconds(1), mean * (0.6931 * fraction))
    }

    private mutating func turn(_ scene: some Scene) {
        let now = phaseEnds
        let never = Duration.seconds(1 << 40)
        if isStorm {
            // The calm: what is wrong goes away; kubelets go on.
            scene.path = Path()
            scene.faults.clear()
            nextFault = never
            nextChange = never
            phaseEnds = now + options.calm
        } else {
            check(now)
            scene.cluster.backUp()
            backupAt = now
            nextFault = now + pause(options.meanFault)
            nextChange = now + pause(options.meanChange)
            phaseEnds = now + options.storm
        }
        isStorm.toggle()
    }

    private mutating func beat(_ scene: some Scene) {
        let nodes = scene.cluster.snapshot().nodes
        beats += 1
        if !nodes.isEmpty { scene.cluster.heartbeat(nodes[beats % nodes.count].name) }
    }

    private mutating func change(_ scene: some Scene) {
        let cluster = scene.cluster
        let nodes = cluster.snapshot().nodes
        guard let name = nodes.randomElement(using: &random)?.name else {
            cluster.addNode()
            return
        }
        switch random.next() % 16 {
        case 0: cluster.deleteNode(name)
        case 1: cluster.replaceNode(name)
        case 2: cluster.loseImageList(name)
        case 3: cluster.reorder(name)
        case 4 where nodes.count < options.nodes:
            cluster.addNode(withImages: random.next() % 2 == 0)
        case 5 where nodes.count < options.nodes - 5: for _ in 0..<5 { cluster.addNode() }
        default: churn.change(name, &random)
        }
    }

    // MARK: Faults

    private mutating func fault(_ scene: some Scene, _ now: Duration) {
        guard
            let kind = random.choice(of: options.kinds, weight: { [options] in $0.weight(options) })
        else { return }
        // What cannot make a difference now is none.
        switch kind.need {
        case .stream where !scene.hasStream: return
        case .request where scene.faults.count > 0: return
        default: break
        }
        switch kind {
        case .muted, .stalledBody, .blackHole: nextFault = now + options.silence
        case .noEndBookmark: nextFault = now + options.endlessList
        case .restoredBackup:
            guard let backupAt, now - backupAt > options.backupAge, now >= scene.path.downUntil
            else {
                return
            }
            nextFault = now + options.restoration
            scene.faults.clear()
            restored()
        default: break
        }
        faults[kind, default: 0] += 1
        scene.log.add(now, "fault \(kind.rawValue)")
        kind.strike(scene, now, options, &random)
    }
}
