public import KubeClient
import Synchronization

/// Asks kubelets for the filesystems that images are on: only of nodes that somebody wants to know of,
/// each not too often, and not too many at once. Thread-safe.
public final class ImageFileSystemProbe: Sendable {
    /// How much it asks.
    public struct Options: Sendable, Hashable {
        /// No node is asked again sooner.
        public var interval = Duration.seconds(30)
        /// Kubelets asked in the whole cluster.
        public var rate = RequestRate(perSecond: 5, burst: 10)
        /// Kubelets asked at once.
        public var workers = 4

        /// The defaults.
        public init() {}
    }

    /// What came of asking.
    public typealias Result = Swift.Result<ImageFileSystem, KubeError>

    private let kubelets: KubeletClient
    private let options: Options
    private let limiter: RateLimiter
    private let queue = WorkQueue<String>()
    private let lastAsked = Locked<[String: ContinuousClock.Instant]>([:])
    private let onResult: @Sendable (_ node: String, Result) -> Void

    /// Makes a probe that asks nobody yet.
    ///
    /// - Parameters:
    ///   - kubelets: How to ask.
    ///   - options: How much.
    ///   - onResult: Told what came of it, on any thread. A failure is not tried again before somebody
    ///     wants to know anew.
    public init(
        _ kubelets: KubeletClient, _ options: Options = Options(),
        onResult: @escaping @Sendable (_ node: String, Result) -> Void
    ) {
        self.kubelets = kubelets
        self.options = options
        self.onResult = onResult
        limiter = RateLimiter(options.rate)
    }

    /// Wants to know of a node: soon, or as soon as it may be asked again.
    public func ask(_ node: String) {
        let now = ContinuousClock.now
        let last = lastAsked.withLock { $0[node] }
        queue.add(node, after: last.map { max(.zero, $0 + options.interval - now) } ?? .zero)
    }

    /// Forgets a node that is not there any more.
    public func forget(_ node: String) { lastAsked.withLock { $0[node] = nil } }

    /// Asks until the task is cancelled.
    public func run() async {
        await queue.run(workers: options.workers) { [self] node in await probe(node) }
    }

    private func probe(_ node: String) async {
        guard (try? await Task.sleep(for: limiter.reserve())) != nil else { return }
        lastAsked.withLock { $0[node] = ContinuousClock.now }
        let result = await kubelets.reading(of: node)
        if case .failure(let error) = result, error.code == .cancelled { return }
        onResult(node, result)
    }
}
