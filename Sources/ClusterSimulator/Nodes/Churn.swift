#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Life in the cluster: heartbeats, and images that come and go, by the clock and a seed.
public struct Churn: Sendable {
    /// How much happens.
    public struct Options: Sendable {
        /// Every node sends one in this time; zero: never.
        public var heartbeatInterval = Duration.seconds(300)
        /// Changes of images a minute, in the whole cluster.
        public var changesPerMinute = 0.0
        /// Same seed, same choices.
        public var seed: UInt64 = 1

        /// The defaults.
        public init() {}
    }

    private static let tick = Duration.milliseconds(50)
    private static let shortest = Duration.microseconds(500)

    private let cluster: Cluster
    private let options: Options

    /// Life for a cluster.
    public init(_ cluster: Cluster, _ options: Options) {
        self.cluster = cluster
        self.options = options
    }

    /// Runs until the task is cancelled.
    public func run() async {
        var random = SeededRandom(seed: options.seed)
        var heartbeatsDue = 0.0
        var changesDue = 0.0
        var nextNode = 0
        let clock = ContinuousClock()
        var last = clock.now
        while !Task.isCancelled {
            let nodeCount = max(1, cluster.snapshot().nodes.count)
            // Each heartbeat by itself, as they come from as many kubelets.
            let pause =
                options.heartbeatInterval > .zero
                ? min(Self.tick, max(Self.shortest, options.heartbeatInterval / nodeCount))
                : Self.tick
            do { try await Task.sleep(for: pause) } catch { return }
            let now = clock.now
            let seconds = (now - last) / .seconds(1)
            last = now
            let nodes = cluster.snapshot().nodes
            guard !nodes.isEmpty else { continue }
            if options.heartbeatInterval > .zero {
                heartbeatsDue +=
                    seconds * Double(nodes.count) / (options.heartbeatInterval / .seconds(1))
            }
            changesDue += seconds * options.changesPerMinute / 60
            while heartbeatsDue >= 1 {
                heartbeatsDue -= 1
                nextNode = (nextNode + 1) % nodes.count
                cluster.heartbeat(nodes[nextNode].name)
            }
            while changesDue >= 1 {
                changesDue -= 1
                change(nodes[Int(random.next() % UInt64(nodes.count))].name, &random)
            }
        }
    }

    /// One thing that happens to a node's images.
    package func change(_ name: String, _ random: inout SeededRandom) {
        switch random.next() % 20 {
        case 0..<13:
            let number = cluster.randomImage(&random)
            let catalog = cluster.catalog.all
            cluster.update(name) { values in
                var images = values.images ?? []
                if !images.contains(number) { images.append(number) }
                values.images = images.sortedLikeKubelet(catalog)
            }
        case 13..<17: rollOut(name, &random)
        default:
            // Space is short: the kubelet says so, frees some, and is content again.
            cluster.setDiskPressure(name, true)
            cluster.collectGarbage(name, freeing: 400_000_000)
            cluster.setDiskPressure(name, false)
        }
    }

    /// An application's next version replaces the one that is there.
    private func rollOut(_ name: String, _ random: inout SeededRandom) {
        guard let node = cluster.node(name) else { return }
        let own = (node.values.images ?? []).filter(cluster.isApplicationImage)
        guard !own.isEmpty else { return }
        let old = own[Int(random.next() % UInt64(own.count))]
        let entry = cluster.catalog[old]
        guard let tagged = entry.names.last, let colon = tagged.lastIndex(of: ":") else { return }
        let next = "\(tagged[..<colon]):v\(random.next() % 90 + 10).\(random.next() % 10)"
        let size = entry.sizeBytes + Int(random.next() % 8_000_000) - 4_000_000
        let number = cluster.catalog.number(
            names: Cluster.names(of: next), sizeBytes: max(1_000_000, size))
        let catalog = cluster.catalog.all
        cluster.update(name) { values in
            var images = values.images ?? []
            images.removeAll { $0 == old }
            images.append(number)
            values.images = images.sortedLikeKubelet(catalog)
        }
    }
}
