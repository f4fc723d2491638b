public import ArgumentParser
public import ImageAlerts
public import KubeClient
import NodeWatch
public import PlimsollService

extension AlertFormat: ExpressibleByArgument {}

extension WireFormat: ExpressibleByArgument {}

extension ListenAddress: ExpressibleByArgument {
    /// As the flag takes it.
    public init?(argument: String) { self.init(argument) }
}

/// Options that `watch` and `demo` share.
struct WatchOptions: ParsableArguments {
    @Option(name: [.short, .customLong("output")], help: "How alerts are written.")
    var output = AlertFormat.text

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Stop after this time: 90s, 10m, 1h30m.", valueName: "time"))
    var duration: DurationArgument?

    @Flag(help: "At the end, print one JSON line of counts and costs to standard error.")
    var stats = false

    @OptionGroup var detection: DetectionOptions
    @OptionGroup var rules: RulesOption

    /// - Throws: `ExitCode` 2, after the rule file's problems have been told.
    func session() throws -> WatchSession.Options {
        var options = WatchSession.Options()
        options.format = output
        options.duration = duration?.duration
        options.printsStatistics = stats
        options.detection = detection.options
        options.alerting = try rules.read()
        return options
    }
}

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch a cluster's nodes and print an alert when image storage changes.",
        discussion: """
            Standard output carries alerts only, one a line; everything else goes to standard error.
            The first sight of a node, heartbeats, other tags on the same digest and broken \
            connections are no change.

              plimsoll watch --context prod
              plimsoll watch --context prod-eu --context prod-us
              plimsoll watch -l pool=gpu -o json | tee alerts.jsonl
              plimsoll watch --until-synced --stats

            Ends with 0 when stopped, 1 when the list of nodes never came, 2 on wrong usage.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var options: WatchOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var kubelet: KubeletOptions

    @OptionGroup var selectors: SelectorOptions

    @Flag(help: "Stop when the list of nodes is complete.")
    var untilSynced = false

    @Option(
        help: ArgumentHelp(
            "Serve /livez and /readyz there: HOST:PORT, :PORT for all addresses of this machine, or "
                + "PORT for this machine alone.", valueName: "address"))
    var health: ListenAddress?

    @Option(
        help: ArgumentHelp(
            "After so long without a word from the server, /readyz says no. Bookmarks come about once a "
                + "minute.", valueName: "time"))
    var staleAfter = DurationArgument(duration: .seconds(150))

    @Option(
        help: ArgumentHelp(
            "Read what the server sends at such intervals: fewer wake-ups, later news. 0: as it comes.",
            valueName: "time"))
    var batchWindow = TimeoutArgument(duration: .milliseconds(50))

    @Option(
        help: ArgumentHelp(
            "Record all traffic besides, as `plimsoll record` does.", valueName: "file"),
        completion: .file())
    var record: String?

    @Option(
        help: ArgumentHelp(
            "Keep what is known in this file, and go on from there the next time: what changed in between is "
                + "told.", valueName: "file"), completion: .file())
    var checkpoint: String?

    @Option(
        help: ArgumentHelp(
            "Keep in this folder what is known and what sinks have not taken: nothing is lost when the process "
                + "is killed. Has the checkpoint, too.", valueName: "folder"),
        completion: .directory)
    var state: String?

    @Option(
        help: ArgumentHelp(
            "What the cluster is called in alerts, instead of its context; a checkpoint is of the cluster of "
                + "that name, whatever its server's address.", valueName: "name"))
    var clusterName: String?

    @Option(help: "What to ask the server for; auto: protobuf where it has it, else JSON.")
    var wireFormat = WireFormat.automatic

    @Flag(help: "Every byte goes through a parser; without it, what nobody asks for is skipped.")
    var strict = false

    func validate() throws {
        if record == "-" { throw ValidationError("--record must be a file: alerts go to -.") }
        let ofOne = [
            ("--record", record), ("--checkpoint", checkpoint), ("--state", state),
            ("--cluster-name", clusterName),
        ]
        for (name, value) in ofOne where value != nil && connection.contexts.count > 1 {
            throw ValidationError("\(name) is for one cluster; --context names several.")
        }
    }

    func run() async throws {
        var session = try options.session()
        session.kubelets = kubelet.trust
        session.batchWindow = batchWindow.duration ?? .zero
        session.isStrict = strict
        session.wireFormat = wireFormat
        session.selector = selectors.nodes
        session.stopsWhenSynced = untilSynced
        session.health = health
        session.staleAfter = staleAfter.duration
        session.clusterName = clusterName
        session.stateFolder = state
        session.checkpoint = (checkpoint ?? state.map { $0 + "/nodes.checkpoint" }).map {
            NodeCheckpoint(path: $0, clusterName: clusterName)
        }
        session.recording = record.map { RecordingOrder(file: $0, isAnonymised: false) }
        let clients = try connection.clients(limits.decodingLimits)
        let code = try await WatchSession(clients, session).run()
        throw ExitCode(code)
    }
}
