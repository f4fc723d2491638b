import ClusterSimulator
import Histories
import NodeWatch

/// Where a history takes place over real sockets: a server with TLS, a relay, and an informer.
final class Stage: Scene {
    let cluster: Cluster
    let faults: Faults
    let log: Log
    private let server: SimulatorServer
    private let relay: Relay
    private let informer: SharedNodeInformer
    private let elapsed: () -> Duration

    init(
        _ server: SimulatorServer, _ relay: Relay, _ informer: SharedNodeInformer, _ log: Log,
        elapsed: @escaping () -> Duration
    ) {
        self.server = server
        cluster = server.cluster
        faults = server.faults
        self.relay = relay
        self.informer = informer
        self.log = log
        self.elapsed = elapsed
    }

    func goAway() { server.goAway() }

    var hasStream: Bool {
        let state = informer.freshness.state
        return state == .watching || state == .listing
    }

    /// What is set here is done by the relay at once.
    var path = Path() {
        didSet {
            let now = elapsed()
            if path.downUntil != oldValue.downUntil { relay.refuse(for: path.downUntil - now) }
            if path.stalledUntil != oldValue.stalledUntil {
                relay.stall(for: path.stalledUntil - now)
            }
            if let bytes = path.cutAfter { relay.cut(after: bytes) }
            if path.crumbs > 0 { relay.crumble(path.crumbs) }
            if path.isDead { relay.swallow() }
            if path.isWell { relay.heal() }
            path.cutAfter = nil
            path.crumbs = 0
            path.isDead = false
        }
    }
}

extension Path {
    /// As it is at first.
    fileprivate var isWell: Bool {
        downUntil == .zero && stalledUntil == .zero && cutAfter == nil && crumbs == 0 && !isDead
    }
}
