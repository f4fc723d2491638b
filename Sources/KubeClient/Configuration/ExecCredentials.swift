import FoundationEssentials
import Synchronization

/// The credential of an exec plugin, kept until it expires. One run at a time, however many ask.
final class ExecCredentials: Sendable {
    private struct State: Sendable {
        var credential: ExecPlugin.Credential?
        /// When a new one is asked for: a tenth of its life before it expires.
        var refresh: Date?
    }

    private let plugin: ExecPlugin
    private let state = Locked(State())

    private let trace: (@Sendable (KubeTrace) -> Void)?

    init(_ plugin: ExecPlugin, _ trace: (@Sendable (KubeTrace) -> Void)?) {
        self.plugin = plugin
        self.trace = trace
    }

    /// A credential that is good now. May block as long as the plugin takes.
    ///
    /// - Throws: `credentials`, `cancelled`.
    func credential(
        _ isCancelled: @escaping @Sendable () -> Bool
    ) throws(KubeError) -> ExecPlugin.Credential {
        // Holding the lock while the plugin runs is the point: who comes meanwhile gets its answer.
        let result: Result<ExecPlugin.Credential, KubeError> = state.withLock { state in
            let now = Date()
            if let known = state.credential, state.refresh.map({ now < $0 }) ?? true {
                return .success(known)
            }
            do throws(KubeError) {
                let start = ContinuousClock.now
                let fresh = try plugin.run(isCancelled)
                trace?(.execPlugin(command: plugin.command, after: ContinuousClock.now - start))
                state.credential = fresh
                state.refresh = fresh.expiration.map { expiration in
                    now.addingTimeInterval(max(0, expiration.timeIntervalSince(now)) * 0.9)
                }
                return .success(fresh)
            } catch {
                // Refreshed early: the old one still has some life.
                if let known = state.credential, let end = known.expiration, now < end {
                    state.refresh = min(end, now.addingTimeInterval(10))
                    return .success(known)
                }
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The server did not accept it: the next one is a new one.
    func invalidate() { state.withLock { $0 = State() } }
}
