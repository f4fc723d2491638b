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
        let talk = ListTalk()
        let informer = try NodeInformer(client: client, selector: selector) { notice in
            switch notice {
            case .synced: end.yield(.synced)
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
            case .resumed: break
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
        if case .failed(let problem)? = reason { throw Failure(problem) }
        return informer.store.nodes
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
