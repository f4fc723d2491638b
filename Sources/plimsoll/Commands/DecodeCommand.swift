import ArgumentParser
import FoundationEssentials
import KubeClient
import NodeWatch

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Decode a recorded list or watch and print what it says, as one JSON line.",
        discussion: """
            FILE is a response body as the API server sent it, for instance from
              kubectl get nodes -o json > nodes.json
              kubectl get --raw '/api/v1/nodes?watch=true&timeoutSeconds=60' > watch.json
            The file is read before the clock starts. A watch that was cut inside an event counts \
            up to its last whole event; a list that was cut is an error.
            """)

    @Argument(help: "The recorded body.", completion: .file())
    var file: String

    @Option(help: "Wire format of the body; auto: by its first byte.")
    var format = WireFormat.automatic

    @Flag(
        help: "Every byte goes through a parser; without it, what nobody asks for is skipped.")
    var strict = false

    @Option(help: ArgumentHelp("Feed the decoder in chunks of so many bytes.", valueName: "bytes"))
    var chunk = 16384

    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("Decode so many times and report the fastest.", valueName: "n"))
    var repetitions = 1

    @OptionGroup var limits: LimitOptions

    func validate() throws {
        guard chunk > 0 else { throw ValidationError("--chunk must be at least 1 byte.") }
        guard repetitions > 0 else { throw ValidationError("--repeat must be at least 1.") }
    }

    func run() throws {
        let bytes = try FileReader.read(file)
        guard !bytes.isEmpty else { throw Failure("\(file): the file is empty") }
        let body = try RecordedBody(
            bytes, chunkBytes: chunk, strict: strict, wireFormat: format,
            limits: limits.decodingLimits)
        let clock = ContinuousClock()
        var fastest = Duration.seconds(Int.max)
        var summary = RecordedBody.Summary()
        for _ in 0..<repetitions {
            let start = clock.now
            do {
                summary = try body.decode()
            } catch {
                throw Failure("\(file): \(error)")
            }
            fastest = min(fastest, clock.now - start)
        }
        if summary.endsInObject {
            Talk.warn("\(file): cut inside an event; decoded up to the last whole one")
        }
        if let status = summary.status {
            Talk.warn(
                "\(file): the server says: \(status.code) \(status.reason): \(status.message)")
        }
        for rejection in summary.rejections { Talk.warn("\(file): left out: \(rejection)") }
        let seconds = fastest / .seconds(1)
        Output.line(
            try Output.json(
                DecodeLine(
                    bytes: bytes.count, events: summary.events, nodes: summary.nodes,
                    images: summary.images, uniqueImages: summary.uniqueImages,
                    imageBytes: Nullable(summary.imageBytes), seconds: seconds,
                    bytesPerSecond: Int(Double(bytes.count) / max(seconds, 1e-9)))))
        if !summary.rejections.isEmpty { throw ExitCode.failure }
    }
}

/// The line `decode` prints.
private struct DecodeLine: Encodable {
    var bytes: Int
    var events: Int
    var nodes: Int
    var images: Int
    var uniqueImages: Int
    var imageBytes: Nullable<Int>
    var seconds: Double
    var bytesPerSecond: Int
}
