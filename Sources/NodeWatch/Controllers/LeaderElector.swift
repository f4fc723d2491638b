import FoundationEssentials
public import KubeClient
import Synchronization

/// One of several processes leads: the one that holds a Lease and renews it in time.
///
/// The rules are those of client-go's `leaderelection`: a lease that its holder has not renewed for its
/// duration may be taken, by the clock of who looks and counted from when it saw the lease change, so that
/// clocks need not agree; who cannot renew in time stops leading before others may begin. In contrast to it,
/// who stops leading stands by again.
///
/// Needs get, create and update on leases in the namespace. All methods may be called from any thread.
public final class LeaderElector: Sendable {
    /// How to take part.
    public struct Options: Sendable {
        /// The Lease's name, the same for all who take part.
        public var lease: String
        /// Its namespace.
        public var namespace: String
        /// Who this process is, unlike all others: a pod's name.
        public var identity: String
        /// So long after a renewal nobody else may lead. Whole seconds.
        public var leaseDuration = Duration.seconds(15)
        /// Who has not renewed for so long stops leading: less than ``leaseDuration``.
        public var renewDeadline = Duration.seconds(10)
        /// How long to wait between attempts: less than ``renewDeadline``.
        public var retryPeriod = Duration.seconds(2)

        /// Kubernetes' own times: 15, 10 and 2 seconds.
        public init(lease: String, namespace: String, identity: String) {
            self.lease = lease
            self.namespace = namespace
            self.identity = identity
        }
    }

    /// What becomes of the election.
    public enum Notice: Sendable {
        /// This process leads.
        case leads
        /// It does not any more.
        case stoodDown
        /// Somebody else leads; "" where nobody does.
        case follows(String)
        /// The lease cannot be read or written; it is tried again.
        case failed(KubeError)
    }

    private struct State {
        /// Until then it leads, unless it renews.
        var deadline: ContinuousClock.Instant?
        /// The lease as it was seen last, and since when it is so.
        var seen: (lease: Lease, since: ContinuousClock.Instant)?
        var leader: String?
    }

    private let options: Options
    private let leases: ResourceClient
    private let annotations: @Sendable () -> [String: String]
    private let onNotice: @Sendable (Notice) -> Void
    private let state = Mutex(State())

    /// Nothing happens before ``run(_:)``.
    ///
    /// - Parameters:
    ///   - client: Of the cluster that the lease is in.
    ///   - options: How to take part.
    ///   - onNotice: Told what becomes of the election, on any thread.
    ///   - annotations: Asked while this process leads: what to write on the lease with each renewal, for who
    ///     leads next. Others stay as they are.
    /// - Throws: `request`: times that cannot work, or names that are missing.
    public init(
        client: KubeClient, _ options: Options,
        onNotice: @escaping @Sendable (Notice) -> Void = { _ in },
        annotations: @escaping @Sendable () -> [String: String] = { [:] }
    ) throws(KubeError) {
        guard options.retryPeriod > .zero, options.retryPeriod < options.renewDeadline,
            options.renewDeadline < options.leaseDuration, options.leaseDuration >= .seconds(1)
        else {
            throw KubeError(
                .request,
                "leader election: it must be retryPeriod < renewDeadline < leaseDuration, and that at least 1 s"
            )
        }
        guard ![options.lease, options.namespace, options.identity].contains("") else {
            throw KubeError(
                .request, "leader election needs a lease, a namespace and an identity")
        }
        self.options = options
        self.annotations = annotations
        self.onNotice = onNotice
        leases = client.resources(.leases, in: options.namespace)
    }

    /// Whether this process leads now, by its own clock: false as soon as it could not renew in time, be it
    /// that it was paused and has not noticed. To be asked before each thing that only a leader may begin.
    public var isLeading: Bool { leadsUntil != nil }

    /// Until when this process leads at least, by its own clock; nil: it does not. What only a leader may do
    /// should be over by then.
    public var leadsUntil: ContinuousClock.Instant? {
        state.withLock { $0.deadline.flatMap { ContinuousClock.now < $0 ? $0 : nil } }
    }

    /// The lease as it was seen last; nil: not yet.
    public var lease: Lease? { state.withLock { $0.seen?.lease } }

    /// Who leads, as far as is known; nil: nobody, or not known yet.
    public var leader: String? { state.withLock { $0.leader } }

    /// Takes part until the task is cancelled; then it gives the lease back, so that another can lead at once.
    ///
    /// - Parameter lead: Called whenever this process leads; its task is cancelled when it does not any more,
    ///   and nobody leads here again before it has returned.
    public func run(_ lead: @escaping @Sendable () async -> Void) async {
        while !Task.isCancelled {
            if await attempt(until: .now + options.renewDeadline) {
                onNotice(.leads)
                let leading = Task { await lead() }
                await renewUntilLost()
                state.withLock { $0.deadline = nil }
                leading.cancel()
                await leading.value
                onNotice(.stoodDown)
                if Task.isCancelled { await release() }
            }
            try? await Task.sleep(for: options.retryPeriod * Double.random(in: 0.8...1.2))
        }
    }

    private func renewUntilLost() async {
        while isLeading, !Task.isCancelled {
            guard (try? await Task.sleep(for: options.retryPeriod)) != nil else { return }
            guard let deadline = state.withLock({ $0.deadline }), deadline > .now else { return }
            // Whether it came in time, the deadline tells.
            _ = await attempt(until: deadline)
            if state.withLock({ $0.leader }) != options.identity { return }
        }
    }

    // MARK: The lease

    /// Tries to take or renew the lease, until then at most. True when this process has it.
    private func attempt(until end: ContinuousClock.Instant) async -> Bool {
        let start = ContinuousClock.now
        let result = await withTaskGroup(of: Result<Lease, KubeError>?.self) { group in
            group.addTask { await self.request() }
            group.addTask {
                try? await Task.sleep(until: end)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        switch result {
        case .success(let lease):
            note(lease)
            guard lease.holder == options.identity else { return false }
            // From when it was asked: the server may have renewed it at once, and answered late.
            state.withLock { $0.deadline = start + options.renewDeadline }
            return true
        case .failure(let error):
            if !Task.isCancelled, !error.isConflict { onNotice(.failed(error)) }
            return false
        case nil: return false
        }
    }

    private func note(_ lease: Lease) {
        let leader = lease.holder.isEmpty ? nil : lease.holder
        let isNews = state.withLock { state in
            if state.seen?.lease.object.resourceVersion != lease.object.resourceVersion {
                state.seen = (lease, .now)
            }
            defer { state.leader = leader }
            return state.leader != leader
        }
        if isNews, leader != options.identity { onNotice(.follows(leader ?? "")) }
    }

    /// The lease as it is after an attempt.
    private func request() async -> Result<Lease, KubeError> {
        do throws(KubeError) {
            return .success(try await readAndTake())
        } catch {
            return .failure(error)
        }
    }

    private func readAndTake() async throws(KubeError) -> Lease {
        var lease: Lease
        // Who leads need not look: what another wrote meanwhile is a conflict.
        if isLeading, let seen = self.lease, seen.holder == options.identity {
            lease = seen
            claim(&lease)
            do throws(KubeError) {
                return Lease(try await leases.replace(lease.object))
            } catch {
                guard error.isConflict || error.httpStatus == 404 else { throw error }
            }
        }
        do throws(KubeError) {
            lease = Lease(try await leases.get(options.lease))
        } catch {
            guard error.httpStatus == 404 else { throw error }
            lease = Lease(name: options.lease)
            claim(&lease)
            lease.transitions = 0
            return Lease(try await leases.create(lease.object))
        }
        note(lease)
        guard lease.holder == options.identity || mayBeTaken(lease) else { return lease }
        claim(&lease)
        return Lease(try await leases.replace(lease.object))
    }

    private func claim(_ lease: inout Lease) {
        let now = Date()
        if lease.holder != options.identity {
            lease.acquired = now
            lease.transitions += 1
            lease.holder = options.identity
        }
        lease.duration = options.leaseDuration
        lease.renewed = now
        if isLeading { annotate(&lease) }
    }

    private func annotate(_ lease: inout Lease) {
        let annotations = annotations()
        if annotations.isEmpty { return }
        lease.object.annotations.merge(annotations) { $1 }
    }

    private func mayBeTaken(_ lease: Lease) -> Bool {
        if lease.holder.isEmpty { return true }
        guard let since = state.withLock({ $0.seen?.since }) else { return false }
        return ContinuousClock.now - since >= max(lease.duration, .seconds(1))
    }

    /// Says that nobody holds it. In a task of its own: this one is cancelled.
    private func release() async {
        let seen = state.withLock { $0.seen?.lease }
        guard var lease = seen, lease.holder == options.identity else { return }
        lease.holder = ""
        lease.duration = .seconds(1)
        lease.renewed = Date()
        annotate(&lease)
        let (leases, released, limit) = (leases, lease, options.renewDeadline)
        let releasing = Task { _ = try? await leases.replace(released.object) }
        let timing = Task {
            try? await Task.sleep(for: limit)
            releasing.cancel()
        }
        await releasing.value
        timing.cancel()
        state.withLock { $0.leader = nil }
    }
}
