import ObjectEncoding
import Synchronization

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
        /// Seconds since 1970; the machine's, where nobody has another.
        package var clock: @Sendable () -> Int = { Clock.seconds() }

        /// The defaults.
        public init() {}
    }

    private struct State {
        /// By name.
        var nodes: [SimulatedNode] = []
        var history: History<SimulatedNode>
        var nextOrdinal = 0
        var random: SeededRandom
        var backup: (nodes: [SimulatedNode], resourceVersion: Int)?
    }

    private let state: Mutex<State>
    let options: Options
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
        state = Mutex(State(history: History(limit: options.historyLimit), random: random))
        let now = options.clock()
        state.withLock { state in
            for _ in 0..<options.nodeCount {
                let node = makeNode(&state, created: now - 86400)
                state.nodes.append(node)
            }
            state.nodes.sort { $0.name < $1.name }
            nameTwinsAnew(&state)
        }
    }

    // MARK: Reading

    /// The latest resourceVersion.
    public var resourceVersion: Int { state.withLock { $0.history.resourceVersion } }

    /// All nodes by name, at one resourceVersion.
    package func snapshot() -> (nodes: [SimulatedNode], resourceVersion: Int) {
        state.withLock { ($0.nodes, $0.history.resourceVersion) }
    }

    /// All nodes by name, as they were at an earlier resourceVersion; nil where that is not kept any more.
    package func snapshot(at version: Int) -> [SimulatedNode]? {
        state.withLock { state in
            guard let earlier = state.history.earlier(at: version, \.name) else { return nil }
            if earlier.isEmpty { return state.nodes }
            let same = state.nodes.filter { earlier[$0.name] == nil }
            return (same + earlier.values.compactMap { $0 }).sorted { $0.name < $1.name }
        }
    }

    /// The oldest resourceVersion a watch can start from.
    var oldestResourceVersion: Int { state.withLock { $0.history.compacted } }

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

    /// One node as the fields of its message.
    func append(_ node: SimulatedNode, to text: inout ProtobufText) {
        encoder(of: node).append(node, to: &text)
    }

    /// What a node reports, computed from the model and not from its JSON: total bytes and number
    /// of images; nil where it reports no list.
    public func reportedImages(of node: SimulatedNode) -> (bytes: Int, count: Int)? {
        guard let numbers = node.values.images?.prefix(NodeProfile.imageCap) else { return nil }
        let catalog = catalog.all
        return (numbers.reduce(0) { $0 + catalog[$1].sizeBytes }, numbers.count)
    }

    /// Whether a node says that it is short of disk space.
    package func hasDiskPressure(_ node: SimulatedNode) -> Bool { node.values.hasDiskPressure }

    /// The first name of each image on a node's disk, those that it reports first; nil where it reports no
    /// list.
    package func imageNames(of node: SimulatedNode) -> [String]? {
        let catalog = catalog.all
        return node.values.images?.map { catalog[$0].names.first ?? "" }
    }

    /// The first name of each image that a node reports; nil where it reports no list.
    package func reportedImageNames(of node: SimulatedNode) -> [String]? {
        imageNames(of: node)?.prefix(NodeProfile.imageCap).map { $0 }
    }

    /// Every node's name, uid, resourceVersion and reported images.
    public func report() -> [(node: SimulatedNode, images: (bytes: Int, count: Int)?)] {
        snapshot().nodes.map { ($0, reportedImages(of: $0)) }
    }

    func profile(of node: SimulatedNode) -> NodeProfile {
        encoders[node.values.ordinal % encoders.count].profile
    }

    // MARK: Watching

    /// Starts a watch after `resourceVersion`: first the history since then, then every change, in
    /// order, without a gap. The callback is called under the cluster's lock and must not block.
    func watch(
        after resourceVersion: Int, _ notify: @escaping History<SimulatedNode>.Notify
    ) -> Result<Int, HistoryExpired> {
        state.withLock { $0.history.watch(after: resourceVersion, notify) }
    }

    /// Starts a watch at the present, and gives the nodes that are there.
    func watchFromNow(
        _ notify: @escaping History<SimulatedNode>.Notify
    ) -> (watcher: Int, objects: [SimulatedNode], resourceVersion: Int) {
        state.withLock { state in
            (state.history.watch(notify), state.nodes, state.history.resourceVersion)
        }
    }

    func stopWatching(_ watcher: Int) { state.withLock { $0.history.stopWatching(watcher) } }

    // MARK: Faults

    /// Forgets the history and ends every watch with 410: clients must list again.
    public func compact() { state.withLock { $0.history.forget(endingWatches: true) } }

    /// Forgets the history without telling anybody.
    public func forgetHistory() { state.withLock { $0.history.forget(endingWatches: false) } }

    /// Keeps the state as it is for `restore()`.
    public func backUp() {
        state.withLock { $0.backup = ($0.nodes, $0.history.resourceVersion) }
    }

    /// Goes back to the backup, resourceVersion included. False where there is none.
    public func restore() -> Bool {
        state.withLock { state in
            guard let backup = state.backup else { return false }
            state.nodes = backup.nodes
            state.history.rewind(to: backup.resourceVersion)
            return true
        }
    }

    /// Lets every open watch hear nothing any more.
    public func muteWatches() { state.withLock { $0.history.muteWatches() } }

    /// Ends every watch in good order, as an API server does now and then.
    public func endWatches() { state.withLock { $0.history.endWatches() } }

    /// Cuts the connection of every watch.
    public func cutWatches() { state.withLock { $0.history.cutWatches() } }

    // MARK: Changing

    /// Changes one node. Returns it as it is then, or nil where there is no such node.
    @discardableResult
    func update(
        _ name: String, _ change: (inout SimulatedNode.Values) -> Void
    ) -> SimulatedNode? {
        state.withLock { state in
            guard let index = Self.index(name, state.nodes) else { return nil }
            let previous = state.nodes[index]
            let version = state.history.next()
            let node = previous.with {
                change(&$0)
                mirror(&$0, changedFrom: previous.values)
                $0.resourceVersion = version
            }
            state.nodes[index] = node
            state.history.publish(Change(type: .modified, object: node, previous: previous))
            return node
        }
    }

    /// Says where a node's kubelet is, as if it always had been there.
    func setKubeletPort(_ name: String, _ port: Int) {
        state.withLock { state in
            guard let index = Self.index(name, state.nodes) else { return }
            state.nodes[index] = state.nodes[index].with { $0.kubeletPort = port }
        }
    }

    /// Adds a node that has just been started: without an image list yet, where so wanted.
    @discardableResult
    public func addNode(withImages: Bool = true) -> SimulatedNode {
        state.withLock { state in
            _ = state.history.next()
            var node = makeNode(&state, created: options.clock())
            while Self.index(node.name, state.nodes) != nil { node = nameAnew(node, &state) }
            if !withImages { node = node.with { $0.images = nil } }
            Self.insert(node, &state)
            return node
        }
    }

    /// Deletes a node. Returns its last state.
    @discardableResult
    public func deleteNode(_ name: String) -> SimulatedNode? {
        state.withLock { state in
            guard let index = Self.index(name, state.nodes) else { return nil }
            return Self.remove(index, &state)
        }
    }

    /// Deletes a node and makes another of the same name, as a replaced machine does.
    @discardableResult
    public func replaceNode(_ name: String) -> SimulatedNode? {
        guard let previous = deleteNode(name) else { return nil }
        return state.withLock { state in
            let version = state.history.next()
            let uid = state.random.uuid()
            let bootID = state.random.uuid()
            let node = previous.with {
                $0.uid = uid
                $0.bootID = bootID
                $0.created = options.clock()
                $0.resourceVersion = version
                $0.document = nil
            }
            Self.insert(node, &state)
            return node
        }
    }

    // MARK: Insides

    private static func insert(_ node: SimulatedNode, _ state: inout State) {
        let index = state.nodes.firstIndex { $0.name > node.name } ?? state.nodes.count
        state.nodes.insert(node, at: index)
        state.history.publish(Change(type: .added, object: node))
    }

    private static func remove(_ index: Int, _ state: inout State) -> SimulatedNode {
        let previous = state.nodes.remove(at: index)
        let version = state.history.next()
        let node = previous.with { $0.resourceVersion = version }
        state.history.publish(Change(type: .deleted, object: node, previous: previous))
        return node
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
                resourceVersion: state.history.resourceVersion, created: created,
                heartbeat: created, ordinal: ordinal, pool: pool, bootID: bootID,
                images: images.sortedLikeKubelet(catalog.all)))
    }

    /// Names that are drawn may be drawn twice, and of many they are.
    private func nameTwinsAnew(_ state: inout State) {
        while true {
            let twins = state.nodes.indices.dropFirst().filter {
                state.nodes[$0].name == state.nodes[$0 - 1].name
            }
            if twins.isEmpty { return }
            for twin in twins { state.nodes[twin] = nameAnew(state.nodes[twin], &state) }
            state.nodes.sort { $0.name < $1.name }
        }
    }

    private func nameAnew(_ node: SimulatedNode, _ state: inout State) -> SimulatedNode {
        let profile = encoders[node.values.ordinal % encoders.count].profile
        let name = profile.name(node.values.ordinal, node.values.pool, &state.random)
        return node.with { $0.name = name }
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

extension Cluster: ObjectRepository {
    func object(_ key: ObjectKey) -> JSONValue? { node(key.name).map(document) }

    func create(_ key: ObjectKey, _ object: JSONValue, dryRun: Bool) -> JSONValue? {
        state.withLock { state in
            guard Self.index(key.name, state.nodes) == nil else { return nil }
            var document = object
            document["metadata", "uid"] = .string(state.random.uuid())
            document["metadata", "creationTimestamp"] = .string(Timestamp.text(options.clock()))
            if dryRun { return document }
            let version = state.history.next()
            let blank = makeNode(&state, created: options.clock()).with {
                $0.name = key.name
                $0.uid = document["metadata", "uid"]?.string ?? ""
                $0.resourceVersion = version
                $0.images = nil
                $0 = values(of: document, from: $0)
            }
            Self.insert(blank, &state)
            return self.document(of: blank)
        }
    }

    func update(
        _ key: ObjectKey, dryRun: Bool, _ change: (JSONValue) -> Outcome
    ) -> Outcome? {
        state.withLock { state in
            guard let index = Self.index(key.name, state.nodes) else { return nil }
            let previous = state.nodes[index]
            let old = document(of: previous)
            return change(old).map { new in
                if dryRun || new == old { return new }
                let version = state.history.next()
                let node = previous.with {
                    $0 = values(of: new, from: $0)
                    $0.resourceVersion = version
                }
                state.nodes[index] = node
                state.history.publish(
                    Change(type: .modified, object: node, previous: previous))
                return document(of: node)
            }
        }
    }

    func delete(
        _ key: ObjectKey, dryRun: Bool, _ objection: (JSONValue) -> StatusBody?
    ) -> Outcome? {
        state.withLock { state in
            guard let index = Self.index(key.name, state.nodes) else { return nil }
            let old = document(of: state.nodes[index])
            if let status = objection(old) { return .failure(status) }
            if !dryRun { _ = Self.remove(index, &state) }
            return .success(old)
        }
    }
}
