import KubeClient
import NodeWatch
import Synchronization

/// The nodes of a cluster at one moment, listed the way `watch` lists them.
enum ClusterSnapshot {
    /// Longer nobody waits for a list.
    private static let patience = Duration.seconds(30)

    private enum End: Sendable {
        case synced(WatchNotice.Sync)
        case failed(String)
    }

    /// - Throws: `Failure` when the list does not come.
    static func nodes(
        _ client: KubeClient, _ selector: NodeSelector, labels: [String] = []
    ) async throws -> [NodeSummary] {
        try await take(client, selector, labels: labels).nodes
    }

    /// The nodes, and how they came.
    ///
    /// - Throws: `Failure` when the list does not come.
    static func take(
        _ client: KubeClient, _ selector: NodeSelector, labels: [String] = []
    ) async throws -> (nodes: [NodeSummary], sync: WatchNotice.Sync) {
        let (ends, end) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .bufferingOldest(1))
        let talk = ListTalk()
        let informer = try SharedNodeInformer(
            client: client, selector: selector, labels: labels
        ) { notice in
            switch notice {
            case .synced(let sync): end.yield(.synced(sync))
            case .problem(let error, _, _):
                let text = ProblemText.text(error, client.configuration)
                talk.lastProblem = text
                // Who asks once wants to know at once; only what may pass by itself is tried again.
                let isAway: [KubeError.Code] = [.resolve, .connect, .tls]
                if ProblemText.isHopeless(error) || isAway.contains(error.code) {
                    end.yield(.failed(text))
                }
            case .rejected(let node, let reason):
                talk.clear()
                Talk.warn("left out\(node.isEmpty ? "" : " node \(node)"): \(reason)")
            case .listing(let nodes, let bytes):
                talk.show("\(NumberText.grouped(nodes)) nodes, \(NumberText.bytes(bytes)) …")
            case .resumed, .handlerFailed, .checkpoint: break
            }
        }
        let watching = Task { try await informer.run() }
        let clock = Task {
            guard (try? await Task.sleep(for: patience)) != nil else { return }
            end.yield(
                .failed("no list in 30 s: \(talk.lastProblem ?? "the server does not answer")"))
        }
        let reason = await ends.first { _ in true }
        clock.cancel()
        watching.cancel()
        try? await watching.value
        talk.clear()
        switch reason {
        case .synced(let sync)?: return (informer.store.nodes, sync)
        case .failed(let problem)?: throw Failure(problem)
        case nil: throw Failure("no list came")
        }
    }

    /// What is said while the list comes in.
    private final class ListTalk: Sendable {
        private let status = Mutex(StatusLine())
        private let problem = Mutex<String?>(nil)

        var lastProblem: String? {
            get { problem.withLock { $0 } }
            set { problem.withLock { $0 = newValue } }
        }

        func show(_ text: String) { status.withLock { $0.show(text) } }
        func clear() { status.withLock { $0.clear() } }
    }
}
