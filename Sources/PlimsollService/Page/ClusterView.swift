import ImageAlerts
import KubeClient
import NodeWatch
import Synchronization

/// What the page shows of a cluster at one time.
struct ClusterView: Sendable {
    struct Pool: Sendable {
        /// "": of nodes without one.
        var name: String
        /// By name.
        var nodes: [NodeSummary] = []
        var storage = ImageStorageSum()
        var fullest = 0
    }

    let cap: ImageListCap
    /// By name.
    let pools: [Pool]
    /// Those with the most first.
    let fullest: [NodeSummary]
    let nodeCount: Int
    let storage: ImageStorageSum
    /// Those that take the most, times their nodes, first.
    let images: [ClusterImage]

    init(_ nodes: [NodeSummary], _ setting: ImageListCap.Setting) {
        let cap = ImageListCap(setting, knowing: nodes)
        var pools: [String: Pool] = [:]
        for node in nodes.sorted(on: \.name, { $0.key < $1.key }) {
            let name = node.pool ?? ""
            pools[name, default: Pool(name: name)].add(node, cap)
        }
        self.cap = cap
        self.pools = pools.values.sorted { $0.name < $1.name }
        fullest = nodes.sorted(on: Self.order) { $0.key > $1.key }
        nodeCount = nodes.count
        storage = self.pools.reduce(into: ImageStorageSum()) { sum, pool in
            sum.add(pool.storage.bytes, isTruncated: pool.storage.isLowerBound)
        }
        let images = ClusterImage.all(of: nodes)
        self.images = images.sorted(on: Self.order) { one, other in
            one.key == other.key
                ? images[one.at].image.displayName < images[other.at].image.displayName
                : one.key > other.key
        }
    }

    private static func order(_ node: NodeSummary) -> Int {
        node.imageCount > 0 ? node.imageBytes ?? .max : -1
    }

    private static func order(_ image: ClusterImage) -> Double {
        Double(image.image.sizeBytes) * Double(image.nodes)
    }
}

extension Array {
    /// Sorted by what each element is asked for once, and where it is; elements are moved but once.
    fileprivate func sorted<Key>(
        on key: (Element) -> Key,
        _ areInOrder: ((key: Key, at: Int), (key: Key, at: Int)) -> Bool
    ) -> [Element] {
        enumerated().map { (key: key($1), at: $0) }.sorted(by: areInOrder).map { self[$0.at] }
    }
}

extension ClusterView.Pool {
    fileprivate mutating func add(_ node: NodeSummary, _ cap: ImageListCap) {
        nodes.append(node)
        let size = node.imageCount > 0 ? node.imageBytes : nil
        storage.add(size, isTruncated: cap.isTruncated(node))
        fullest = max(fullest, size ?? 0)
    }
}

/// Makes views when they are asked for, on a thread of their own, and not too often: with 65,000 nodes one takes
/// a second.
final class ClusterViews: Sendable {
    private struct State: Sendable {
        var view: ClusterView?
        var until = ContinuousClock.now
        var making: Task<ClusterView, Never>?
    }

    private static let leastLife = Duration.seconds(2)
    /// A view is shown so many times longer than it took to make.
    private static let lifePerCost = 20

    private let informer: SharedNodeInformer
    private let cap: ImageListCap.Setting
    private let state = Mutex(State())

    init(_ informer: SharedNodeInformer, _ cap: ImageListCap.Setting) {
        self.informer = informer
        self.cap = cap
    }

    var current: ClusterView {
        get async {
            let task = state.withLock { state in
                if let view = state.view, state.until > .now { return Task { view } }
                if let making = state.making { return making }
                let making = Task { await make() }
                state.making = making
                return making
            }
            return await task.value
        }
    }

    private func make() async -> ClusterView {
        let start = ContinuousClock.now
        let view = await DedicatedThread.run { [informer, cap] in
            ClusterView(informer.store.nodes, cap)
        }
        let cost = ContinuousClock.now - start
        state.withLock { state in
            state.view = view
            state.until = .now + max(Self.leastLife, cost * Self.lifePerCost)
            state.making = nil
        }
        return view
    }
}
