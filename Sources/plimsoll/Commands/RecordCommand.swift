import ArgumentParser
import FoundationEssentials
import KubeClient
import NodeWatch

/// Where to record to, and how.
struct RecordingOrder: Sendable {
    /// "-": standard output.
    var file: String
    /// With other names in the place of all names.
    var isAnonymised: Bool

    /// As people call it.
    var name: String { file == "-" ? "standard output" : file }

    /// Begins to record.
    func begin(
        cluster: String, onFault: @escaping @Sendable (KubeError) -> Void
    ) throws(KubeError) -> Recording {
        var anonymiser = isAnonymised ? Anonymiser() : nil
        let header = RecordingHeader(
            began: Date(), cluster: anonymiser?.name(cluster) ?? cluster, path: "/api/v1/nodes",
            program: "plimsoll \(Version.text)", isAnonymised: isAnonymised)
        return Recording(try RecordingWriter(file, header), anonymiser, onFault: onFault)
    }
}

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record what a cluster says of its nodes, to replay it anywhere.",
        discussion: """
            Lists and watches the nodes as `watch` does, and writes every answer to FILE as it came, \
            with its time. `plimsoll replay FILE` makes the same of it, without a cluster: for bug \
            reports, and to measure with.

              plimsoll record --context prod --for 10m nodes.rec
              plimsoll record --until-synced - | gzip > nodes.rec.gz

            No credentials are recorded, but all that the cluster tells of its nodes is: names, \
            addresses, labels, images. With --anonymise others of the same length and look take their \
            place, the same for the same throughout the recording; sizes, times, versions and keys of \
            Kubernetes' own stay. Which is whose is not kept anywhere.
            """)

    @Argument(
        help: "The recording; -: standard output. One that is there is replaced.",
        completion: .file())
    var file: String

    @Flag(
        name: [.customLong("anonymise"), .customLong("anonymize")],
        help: "Put other names in the place of all names, before anything is written.")
    var isAnonymised = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var selectors: SelectorOptions

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Stop after this time: 90s, 10m, 1h30m.", valueName: "time"))
    var duration: DurationArgument?

    @Flag(help: "Stop when the list of nodes is complete.")
    var untilSynced = false

    @Option(help: "What to ask the server for; auto: protobuf where it has it, else JSON.")
    var wireFormat = WireFormat.automatic

    func run() async throws {
        var session = WatchSession.Options()
        session.printsAlerts = false
        session.recording = RecordingOrder(file: file, isAnonymised: isAnonymised)
        session.selector = selectors.nodes
        session.duration = duration?.duration
        session.stopsWhenSynced = untilSynced
        session.wireFormat = wireFormat
        let client = try connection.client(limits.decodingLimits)
        throw ExitCode(try await WatchSession([client], session).run())
    }
}
