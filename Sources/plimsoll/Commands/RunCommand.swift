import ArgumentParser
import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch
import PlimsollService

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run as a service: watch, alert by a file's rules, and serve HTTP.",
        discussion: """
            A setting is taken from the flag, else from the environment, else from "service" in the file, \
            else it has its default:

            \(settingsText)

            The file holds rules, sinks, grouping and silences, too; `plimsoll rules validate` checks it. When \
            it changes, the rules and sinks of the new one count as soon as all of it is sound; settings of \
            "service" count after a restart.

            Alerts go to standard output, all else to standard error. It goes on trying whatever the server \
            says. SIGTERM and SIGINT end it: sinks are told what waits, and what they do not take is kept in \
            the state.
            Ends with 0, 1 where it cannot start, 2 where something is set wrongly.
            """)

    private static var settingsText: String {
        ServiceSettings.all.map { setting in
            "  \(setting.key)  (\(setting.variable))\n      \(setting.meaning)"
        }.joined(separator: "\n")
    }

    @Option(
        help: ArgumentHelp("What to do: settings, rules, sinks.", valueName: "file"),
        completion: .file())
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A kubeconfig. Else KUBECONFIG, ~/.kube/config, or the pod's service account.",
            valueName: "file"), completion: .file())
    var kubeconfig: String?

    @OptionGroup var connection: ConnectionDetails
    @OptionGroup var limits: LimitOptions
    @OptionGroup var flags: SettingFlags

    func run() async throws {
        let source = ConfigurationSource(path: config, flags: flags.values)
        let (configuration, bytes) = try source.read()
        let client = try connection.client(kubeconfig, limits.decodingLimits)
        let session = try ServiceSession(client, configuration, source, bytes)
        throw ExitCode(try await session.run())
    }
}

/// The settings as flags.
struct SettingFlags: ParsableArguments {
    @Option(help: ArgumentHelp("What the cluster is called in alerts.", valueName: "name"))
    var clusterName: String?
    @Option(
        help: ArgumentHelp(
            "Where HTTP is served: HOST:PORT, :PORT for all addresses of this machine, or PORT for this "
                + "machine alone.", valueName: "address"))
    var listen: String?
    @Option(
        help: ArgumentHelp("Serve HTTP with this certificate.", valueName: "file"),
        completion: .file())
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("The certificate's key.", valueName: "file"), completion: .file())
    var tlsKey: String?
    @Option(
        help: ArgumentHelp(
            "The token that who asks for more than probes must have.", valueName: "file"),
        completion: .file())
    var tokenFile: String?
    @Option(
        help: ArgumentHelp("Where what must survive the process is kept.", valueName: "folder"),
        completion: .directory)
    var state: String?
    @Option(
        name: [.customShort("l"), .long],
        help: ArgumentHelp("Only nodes with these labels: pool=gpu,zone!=a.", valueName: "labels"))
    var selector: String?
    @Option(help: ArgumentHelp("Only nodes with these fields.", valueName: "fields"))
    var fieldSelector: String?
    @Option(help: ArgumentHelp("Only this part of the nodes.", valueName: "n/count"))
    var shard: String?
    @Option(
        help: ArgumentHelp(
            "So long may the server be silent before /readyz says no.", valueName: "time"))
    var staleAfter: String?
    @Option(
        help: ArgumentHelp("So long new and rebooted nodes are not compared.", valueName: "time"))
    var warmUp: String?
    @Option(
        name: .customLong("image-fs"),
        help: ArgumentHelp(
            "Whether kubelets are asked what images really take.", valueName: "true|false"))
    var imageFS: String?
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("How alerts are written, or none.", valueName: "format"))
    var output: String?
    @Option(help: ArgumentHelp("How standard error is written.", valueName: "format"))
    var logFormat: String?
    @Option(
        help: ArgumentHelp(
            "With more nodes than this none has series of its own in the metrics.",
            valueName: "count"))
    var nodeSeries: String?
    @Option(
        help: ArgumentHelp(
            "Whether this process is one of several, of which one tells.", valueName: "true|false"))
    var leaderElection: String?
    @Option(help: ArgumentHelp("The Lease they contend for.", valueName: "name"))
    var leaseName: String?
    @Option(help: ArgumentHelp("The Lease's namespace.", valueName: "name"))
    var leaseNamespace: String?
    @Option(
        help: ArgumentHelp("So long after a renewal nobody else leads.", valueName: "time"))
    var leaseDuration: String?
    @Option(
        help: ArgumentHelp("Who has not renewed for so long stops telling.", valueName: "time"))
    var renewDeadline: String?
    @Option(
        help: ArgumentHelp("How often who leads renews, and others look.", valueName: "time"))
    var retryPeriod: String?
    @Option(help: ArgumentHelp("So long sinks are waited for at the end.", valueName: "time"))
    var shutdownPatience: String?

    /// By the keys of settings.
    var values: [String: String] {
        let all = [
            "cluster_name": clusterName, "listen": listen, "tls_certificate": tlsCertificate,
            "tls_key": tlsKey, "token_file": tokenFile, "state": state, "selector": selector,
            "field_selector": fieldSelector, "shard": shard, "stale_after": staleAfter,
            "warm_up": warmUp, "image_fs": imageFS, "output": output, "log_format": logFormat,
            "node_series": nodeSeries, "leader_election": leaderElection,
            "lease_name": leaseName, "lease_namespace": leaseNamespace,
            "lease_duration": leaseDuration, "renew_deadline": renewDeadline,
            "retry_period": retryPeriod, "shutdown_patience": shutdownPatience,
        ]
        return all.compactMapValues { $0 }
    }
}

/// Where a service's configuration comes from, again and again.
struct ConfigurationSource: Sendable {
    var path: String?
    var flags: [String: String]

    /// Reads all of it; what is wrong is told, and ends the program with 2. With it come the file's bytes.
    func read() throws -> (ServiceConfiguration, bytes: [UInt8]?) {
        do {
            let bytes = try bytes()
            return (try configuration(bytes), bytes)
        } catch let error as KubeError {
            Talk.say("Error: \(error.message)")
        } catch let error as RuleFile.Invalid {
            Talk.say(error.description)
            Talk.say("Error: \(path ?? "") is not sound; nothing of it is used")
        } catch let error as ServiceConfiguration.Invalid {
            Talk.say("Error: \(error.description)")
        }
        throw ExitCode(2)
    }

    /// The file's bytes; nil where there is no file.
    func bytes() throws(KubeError) -> [UInt8]? {
        guard let path else { return nil }
        return try FileReader.read(path)
    }

    func configuration(_ bytes: [UInt8]?) throws -> ServiceConfiguration {
        try ServiceConfiguration(
            bytes, name: path ?? "", environment: ProcessInfo.processInfo.environment, flags: flags)
    }
}
