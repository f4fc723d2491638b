import KubeClient
import NodeWatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Watches the nodes of the kubeconfig's current context with two handlers on one stream: one follows
/// every change, the other takes stock of the pools every five seconds.
@main
struct TwoHandlers {
    static func main() async throws {
        let client = KubeClient(try KubeConfiguration.load())
        let nodes = try SharedNodeInformer(client: client) { notice in
            if case .problem(let error, _, _) = notice { say("problem: \(error)") }
        }
        let pools = nodes.store.index { [$0.pool ?? "no pool"] }

        nodes.addHandler { change in
            switch change {
            case .added(_, isInInitialList: true): break
            case .added(let node, _): say("\(node.name) joined")
            case .updated(let old, let new) where old.imageBytes != new.imageBytes:
                let (before, after) = (old.imageBytes ?? 0, new.imageBytes ?? 0)
                say("\(new.name) image storage \(before) -> \(after) bytes")
            case .updated: break
            case .deleted(let node): say("\(node.name) left")
            }
        }

        let stock = nodes.addHandler(resync: .seconds(5)) { change in
            // A resync tells of every node; one line a pool is enough.
            guard pools[change.node.pool ?? "no pool"].first?.name == change.node.name else {
                return
            }
            let pool = change.node.pool ?? "no pool"
            say("pool \(pool): \(pools[pool].count) nodes")
        }

        let running = Task { try await nodes.run() }
        await stock.synced()
        say("\(nodes.store.count) nodes at \(nodes.store.resourceVersion ?? "?")")
        try await running.value
    }

    /// A line at once, for whoever reads it through a pipe.
    @Sendable static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
