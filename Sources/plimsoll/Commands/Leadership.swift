import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch
import PlimsollService
import Synchronization

/// The part of a process that is one of several: one leads and tells, the others watch and stand by. How far
/// all has been told stands on the lease.
final class Leadership: Sendable {
    /// How far everything has been told, as it is to stand on the lease.
    private final class Report: Sendable {
        let position = Mutex(ResourceVersion?.none)
    }

    /// On the lease: everything that happened up to this resourceVersion has been told.
    private static let annotation = "plimsoll.dev/told-up-to"
    /// What is read before the watch begins is not waited for any longer.
    private static let firstPatience = Duration.seconds(5)

    private let elector: LeaderElector
    private let leases: ResourceClient
    private let name: String
    private let report = Report()

    /// Nil where the process is not to be one of several.
    ///
    /// - Parameter note: Told what becomes of the election.
    convenience init?(
        _ client: KubeClient, _ settings: ServiceSettings,
        note: @escaping @Sendable (String, LogLevel) -> Void
    ) throws(KubeError) {
        guard settings.electsLeader else { return nil }
        let shard = settings.shard.map { "-\($0.number)-of-\($0.count)" } ?? ""
        var options = LeaderElector.Options(
            lease: settings.leaseName ?? "plimsoll" + shard,
            namespace: settings.leaseNamespace ?? client.configuration.namespace ?? "default",
            identity: Self.newIdentity())
        options.leaseDuration = settings.leaseDuration
        options.renewDeadline = settings.renewDeadline
        options.retryPeriod = settings.retryPeriod
        let (lease, identity) = ("\(options.namespace)/\(options.lease)", options.identity)
        try self.init(client, options) { notice in
            switch notice {
            case .leads: note("\(identity) leads by the lease \(lease): alerts are told", .info)
            case .stoodDown: note("\(identity) leads no more", .info)
            case .follows(""): note("nobody leads by the lease \(lease)", .info)
            case .follows(let leader):
                note("\(leader) leads by the lease \(lease); standing by", .info)
            case .failed(let error): note("lease \(lease): \(error.message)", .warning)
            }
        }
    }

    /// Unlike that of an earlier process in the same pod.
    private static func newIdentity() -> String {
        ProcessInfo.processInfo.hostName + "_" + UUID().uuidString.lowercased()
    }

    private init(
        _ client: KubeClient, _ options: LeaderElector.Options,
        onNotice: @escaping @Sendable (LeaderElector.Notice) -> Void
    ) throws(KubeError) {
        leases = client.resources(.leases, in: options.namespace)
        name = options.lease
        let annotation = Self.annotation
        elector = try LeaderElector(
            client: client, options, onNotice: onNotice,
            annotations: { [report] in
                report.position.withLock { $0 }.map { [annotation: $0.string] } ?? [:]
            })
    }

    var isLeading: Bool { elector.isLeading }

    /// For people.
    var role: String {
        if isLeading { return "leads: tells alerts" }
        return elector.leader.map { "stands by for \($0)" } ?? "stands by"
    }

    /// Asks ``isLeading``.
    var asked: @Sendable () -> Bool { { [elector] in elector.isLeading } }

    /// Who may send.
    var right: SendingRight { SendingRight { [elector] in elector.leadsUntil } }

    /// How far who leads has told everything; nil: not known.
    var toldUpTo: ResourceVersion? { Self.position(elector.lease) }

    /// Takes down how far this process, which leads, has told everything.
    func report(_ position: ResourceVersion) { report.position.withLock { $0 = position } }

    /// How far everything had been told before this process. Nil: not known, or it cannot be read now.
    func lastReport() async -> String? {
        let reading = Task { [leases, name] in try? await leases.get(name) }
        let timing = Task {
            try? await Task.sleep(for: Self.firstPatience)
            reading.cancel()
        }
        defer { timing.cancel() }
        return Self.position(await reading.value.map(Lease.init))?.string
    }

    private static func position(_ lease: Lease?) -> ResourceVersion? {
        lease?.object.annotations[annotation].flatMap { ResourceVersion($0) }
    }

    /// Takes part until the task is cancelled.
    ///
    /// - Parameter lead: Called whenever this process leads, and cancelled when it does not any more.
    func run(_ lead: @escaping @Sendable () async -> Void) async {
        // What one who led before had told says nothing of now.
        await elector.run { [report] in
            report.position.withLock { $0 = nil }
            await lead()
        }
    }
}
