import KubeClient
import NodeWatch
import Synchronization

/// The nodes of a cluster at one moment, listed the way `watch` lists them.
enum ClusterSnapshot {
    /// Longer nobody waits for a list.
    private static let patience = Duration.seconds(30)

    private enum End: Sendable {
        case synced
        case failed(String)
    }

    /// - Throws: `Failure` when the list does not come.
    static func nodes(_ client: KubeClient, _ selector: NodeSelector) async throws -> [NodeSummary]
    {
        let (ends, end) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .bufferingOldest(1))
        let problems = ProblemLog()
        let informer = try NodeInformer(client: client, selector: selector) { notice in
            switch notice {
            case .synced: end.yield(.synced)
            case .problem(let error, _, _):
                let text = ProblemText.text(error, client.configuration)
                problems.last = text
                // Who asks once wants to know at once; only what may pass by itself is tried again.
                let isAway: [KubeError.Code] = [.resolve, .connect, .tls]
                if ProblemText.isHopeless(error) || isAway.contains(error.code) {
                    end.yield(.failed(text))
                }
            case .rejected(let node, let reason):
                Talk.warn("left out\(node.isEmpty ? "" : " node \(node)"): \(reason)")
            case .listing, .resumed: break
            }
        }
        let watching = Task { try await informer.run() }
        let clock = Task {
            guard (try? await Task.sleep(for: patience)) != nil else { return }
            end.yield(.failed("no list in 30 s: \(problems.last ?? "the server does not answer")"))
        }
        let reason = await ends.first { _ in true }
        clock.cancel()
        watching.cancel()
        try? await watching.value
        if case .failed(let problem)? = reason { throw Failure(problem) }
        return informer.store.nodes
    }

    private final class ProblemLog: Sendable {
        private let text = Mutex<String?>(nil)

        var last: String? {
            get { text.withLock { $0 } }
            set { text.withLock { $0 = newValue } }
        }
    }
}
