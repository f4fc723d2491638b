import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The state behind the simulated API server: nodes, resourceVersions, history and watchers.
///
/// Thread-safe. Every change takes the next resourceVersion and is told to the watchers in order.
public final class Cluster: Sendable {
    /// How a cluster starts.
    public struct Options: Sendable {
        /// How many nodes.
        public var nodeCount = 20
        /// Whose nodes; several take turns.
        public var shapes: [NodeShape] = [.eks]
        /// At least so many images a node; 0: as many as the shape usually has.
        public var imagesPerNode = 0
        /// Same seed, same cluster.
        public var seed: UInt64 = 1
        /// How many events a watch can go back.
        public var historyLimit = 10_000

        /// The defaults.
        public init() {}
    }

    enum EventType: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
    }

    struct Event: Sendable {
        var type: EventType
        var node: SimulatedNode
        /// The node before the change; nil for one that was added.
        var previous: SimulatedNode?
        var resourceVersion: Int { node.resourceVersion }
    }

    /// What a watcher is told.
    enum Notice: Sendable {
        case event(Event)
        /// Its history is gone: the stream ends with 410.
        case expired
        /// The connection is cut.
        case cut
    }

    /// A watch cannot start at a resourceVersion that is older than the history.
    struct Expired: Error {
        var current: Int
    }

    private struct State {
        /// By name.
        var nodes: [SimulatedNode] = []
        var resourceVersion = 1000
        var history: [Event] = []
        /// Index of the oldest event still in `history`.
        var historyStart = 0
        /// The last resourceVersion that is no longer in the history.
        var compacted = 1000
        var watchers: [Int: @Sendable (Notice) -> Void] = [:]
        var nextWatcher = 0
        var nextOrdinal = 0
        var random: SeededRandom
    }

    private let state: Mutex<State>
    private let options: Options
    private let encoders: [NodeEncoder]
    let catalog = ImageCatalog()
    /// Images that pulls choose from, by catalog number.
    private let applicationImages: [Int]
    private let systemImages: [[Int]]

    /// Makes a cluster of nodes that have been there for a while.
    public init(_ options: Options = Options()) {
        self.options = options
        let catalog = catalog
        let profiles = (options.shapes.isEmpty ? [.eks] : options.shapes).map(\.profile)
        encoders = profiles.map { NodeEncoder(profile: $0, catalog: catalog) }
        var random = SeededRandom(seed: options.seed)
        systemImages = profiles.map { profile in
            profile.systemImages(&random).map {
                catalog.number(names: $0.names, sizeBytes: $0.sizeBytes)
            }
        }
        applicationImages = (0..<400).map { number in
            let image = NodeProfile.applicationImage(number, &random)
            return catalog.number(names: image.names, sizeBytes: image.sizeBytes)
        }
        state = Mutex(State(random: random))
        let now = Clock.seconds()
        state.withLock { state in
            for _ in 0..<options.nodeCount {
                let node = makeNode(&state, created: now - 86400)
                state.nodes.append(node)
            }
            state.nodes.sort { $0.name < $1.name }
            state.compacted = state.resourceVersion
        }
    }

    // MARK: Reading

    /// The latest resourceVersion.
    public var resourceVersion: Int { state.withLock { $0.resourceVersion } }

    /// All nodes by name, at one resourceVersion.
    func snapshot() -> (nodes: [SimulatedNode], resourceVersion: Int) {
        state.withLock { ($0.nodes, $0.resourceVersion) }
    }

    /// The oldest resourceVersion a watch can start from.
    var oldestResourceVersion: Int { state.withLock { $0.compacted } }

    /// A node by name.
    public func node(_ name: String) -> SimulatedNode? {
        state.withLock { state in Self.index(name, state.nodes).map { state.nodes[$0] } }
    }

    func encoder(of node: SimulatedNode) -> NodeEncoder {
        encoders[node.values.ordinal % encoders.count]
    }

    /// One node as JSON.
    func append(_ node: SimulatedNode, withKind: Bool, to json: inout JSONText) {
        encoder(of: node).append(node, withKind: withKind, to: &json)
    }

    /// What a node reports, computed from the model and not from its JSON: total bytes and number
    /// of images; nil where it reports no list.
    public func reportedImages(of node: SimulatedNode) -> (bytes: Int, count: Int)? {
        guard let numbers = node.values.images?.prefix(NodeProfile.imageCap) else { return nil }
        let catalog = catalog.all
        return (numbers.reduce(0) { $0 + catalog[$1].sizeBytes }, numbers.count)
    }

    /// Every node's name, uid, resourceVersion and reported images.
    public func report() -> [(node: SimulatedNode, images: (bytes: Int, count: Int)?)] {
        snapshot().nodes.map { ($0, reportedImages(of: $0)) }
    }

    // MARK: Watching

    /// Starts a watch after `resourceVersion`: first the history since then, then every change, in
    /// order, without a gap. The callback is called under the cluster's lock and must not block.
    func watch(
        after resourceVersion: Int, _ notify: @escaping @Sendable (Notice) -> Void
    ) throws(Expired) -> Int {
        let result: Result<Int, Expired> = state.withLock { state in
            guard resourceVersion >= state.compacted else {
                return .failure(Expired(current: state.resourceVersion))
            }
            for event in state.history[state.historyStart...]
            where event.resourceVersion > resourceVersion {
                notify(.event(event))
            }
            return .success(Self.add(notify, &state))
        }
        return try result.get()
    }

    /// Starts a watch at the present, and gives the nodes that are there.
    func watchFromNow(
        _ notify: @escaping @Sendable (Notice) -> Void
    ) -> (watcher: Int, nodes: [SimulatedNode], resourceVersion: Int) {
        state.withLock { state in
            (Self.add(notify, &state), state.nodes, state.resourceVersion)
        }
    }

    func stopWatching(_ watcher: Int) { state.withLock { $0.watchers[watcher] = nil } }

    private static func add(
        _ notify: @escaping @Sendable (Notice) -> Void, _ state: inout State
    ) -> Int {
        state.nextWatcher += 1
        state.watchers[state.nextWatcher] = notify
        return state.nextWatcher
    }

    // MARK: Faults

    /// Forgets the history and ends every watch with 410: clients must list again.
    public func compact() {
        state.withLock { state in
            state.history = []
            state.historyStart = 0
            state.resourceVersion += 1
            state.compacted = state.resourceVersion
            for notify in state.watchers.values { notify(.expired) }
        }
    }

    /// Forgets the history without telling anybody.
    public func forgetHistory() {
        state.withLock { state in
            state.history = []
            state.historyStart = 0
            state.resourceVersion += 1
            state.compacted = state.resourceVersion
        }
    }

    /// Cuts the connection of every watch.
    public func cutWatches() {
        state.withLock { state in
            for notify in state.watchers.values { notify(.cut) }
        }
    }

    // MARK: Changing

    /// Changes one node. Returns it as it is then, or nil where there is no such node.
    @discardableResult
    func update(
        _ name: String, _ change: (inout SimulatedNode.Values) -> Void
    ) -> SimulatedNode? {
        state.withLock { state in
            guard let index = Self.index(name, state.nodes) else { return nil }
            let previous = state.nodes[index]
            state.resourceVersion += 1
            let version = state.resourceVersion
            let node = previous.with {
                change(&$0)
                $0.resourceVersion = version
            }
            state.nodes[index] = node
            publish(Event(type: .modified, node: node, previous: previous), &state)
            return node
        }
    }

    /// Adds a node that has just been started: without an image list yet, where so wanted.
    @discardableResult
    public func addNode(withImages: Bool = true) -> SimulatedNode {
        state.withLock { state in
            state.resourceVersion += 1
            var node = makeNode(&state, created: Clock.seconds())
            if !withImages { node = node.with { $0.images = nil } }
            let name = node.name
            let index = state.nodes.firstIndex { $0.name > name } ?? state.nodes.count
            state.nodes.insert(node, at: index)
            publish(Event(type: .added, node: node), &state)
            return node
        }
    }

    /// Deletes a node. Returns its last state.
    @discardableResult
    public func deleteNode(_ name: String) -> SimulatedNode? {
        state.withLock { state in
            guard let index = Self.index(name, state.nodes) else { return nil }
            let previous = state.nodes.remove(at: index)
            state.resourceVersion += 1
            let version = state.resourceVersion
            let node = previous.with { $0.resourceVersion = version }
            publish(Event(type: .deleted, node: node, previous: previous), &state)
            return node
        }
    }

    /// Deletes a node and makes another of the same name, as a replaced machine does.
    @discardableResult
    public func replaceNode(_ name: String) -> SimulatedNode? {
        guard let previous = deleteNode(name) else { return nil }
        return state.withLock { state in
            state.resourceVersion += 1
            let version = state.resourceVersion
            let uid = state.random.uuid()
            let bootID = state.random.uuid()
            let node = previous.with {
                $0.uid = uid
                $0.bootID = bootID
                $0.created = Clock.seconds()
                $0.resourceVersion = version
            }
            let index = state.nodes.firstIndex { $0.name > name } ?? state.nodes.count
            state.nodes.insert(node, at: index)
            publish(Event(type: .added, node: node), &state)
            return node
        }
    }

    // MARK: Insides

    private func publish(_ event: Event, _ state: inout State) {
        state.history.append(event)
        if state.history.count - state.historyStart > options.historyLimit {
            state.compacted = state.history[state.historyStart].resourceVersion
            state.historyStart += 1
            if state.historyStart > options.historyLimit {
                state.history.removeFirst(state.historyStart)
                state.historyStart = 0
            }
        }
        for notify in state.watchers.values { notify(.event(event)) }
    }

    private static func index(_ name: String, _ nodes: [SimulatedNode]) -> Int? {
        var low = 0
        var high = nodes.count
        while low < high {
            let middle = (low + high) / 2
            if nodes[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < nodes.count && nodes[low].name == name ? low : nil
    }

    private func makeNode(_ state: inout State, created: Int) -> SimulatedNode {
        let ordinal = state.nextOrdinal
        state.nextOrdinal += 1
        let shape = ordinal % encoders.count
        let profile = encoders[shape].profile
        let pool = profile.pools[Int(state.random.next() % UInt64(profile.pools.count))]
        var images = systemImages[shape]
        let wanted = max(
            options.imagesPerNode, Int.random(in: profile.imageCount, using: &state.random))
        // Nodes of a pool run much the same; a few images differ.
        let first = Int(pool.utf8.reduce(0) { $0 + Int($1) } * 7)
        var next = first
        while images.count < wanted {
            let own = state.random.next() % 8 == 0
            let choice =
                own ? Int(state.random.next() % UInt64(applicationImages.count)) : next
            next += 1
            let number = applicationImages[choice % applicationImages.count]
            if !images.contains(number) { images.append(number) }
        }
        let uid = state.random.uuid()
        let bootID = state.random.uuid()
        return SimulatedNode(
            .init(
                name: profile.name(ordinal, pool, &state.random), uid: uid,
                resourceVersion: state.resourceVersion, created: created,
                heartbeat: created, ordinal: ordinal, pool: pool, bootID: bootID,
                images: images.sortedLikeKubelet(catalog.all)))
    }

    /// A random application image.
    func randomImage(_ random: inout SeededRandom) -> Int {
        applicationImages[Int(random.next() % UInt64(applicationImages.count))]
    }

    /// Whether an image is one that workloads pull, not one of the node's own system.
    func isApplicationImage(_ number: Int) -> Bool {
        !systemImages.contains { $0.contains(number) }
    }
}

/// Time of day.
enum Clock {
    static func seconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec
    }
}
