public import ArgumentParser
public import ClusterSimulator
import Dispatch
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension SimulatorServer.Options.ShardSelection: ExpressibleByArgument {}

@main
struct PlimsollSim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plimsoll sim",
        abstract:
            "A simulated cluster: a kube-apiserver for nodes on a TLS socket of this machine.",
        discussion: """
            Without a command it serves until it is interrupted, and prints the path of a kubeconfig:
              plimsoll sim --nodes 5000
              plimsoll watch --kubeconfig /tmp/plimsoll-sim-1000/38211.kubeconfig
              plimsoll sim pull ip-10-0-0-7.us-west-2.compute.internal nginx:1.29 212MB

            Commands for a running simulation:
            \(ControlCommand.usage.map { "  \(padded($0.words)) \($0.meaning)" }
                .joined(separator: "\n"))
            """)

    @Option(help: "How many nodes.")
    var nodes = 20

    @Option(
        help: ArgumentHelp(
            "Whose nodes: eks, aks, gke, or several with commas.", valueName: "names"))
    var profile = "eks"

    @Option(help: ArgumentHelp("At least so many images a node.", valueName: "count"))
    var images = 0

    @Option(help: "Same seed, same cluster.")
    var seed: UInt64 = 1

    @Option(help: "Port on 127.0.0.1; 0 takes a free one.")
    var port = 0

    @Option(
        help: ArgumentHelp(
            "Changes of images in the cluster: pulls, roll-outs, garbage collection.",
            valueName: "number"))
    var changesPerMinute = 0.0

    @Option(
        help: ArgumentHelp(
            "Every node sends a heartbeat in so many seconds; 0 for never.", valueName: "seconds"))
    var heartbeatInterval = 300.0

    @Option(help: ArgumentHelp("Time between two bookmarks.", valueName: "seconds"))
    var bookmarkInterval = 60.0

    @Option(
        help: ArgumentHelp(
            "Send lists and watches node by node, so many bytes a second (100MB), as a real API server "
                + "does. Without it, as fast as the client reads.", valueName: "size"))
    var bytesPerSecond: ByteRate?

    @Flag(help: "Refuse watches that ask for initial events, as servers before 1.34 may.")
    var noStreamingLists = false

    @Option(help: "What becomes of requests for a shard; most servers ignore that they are.")
    var shards = SimulatorServer.Options.ShardSelection.serve

    @Option(
        help: ArgumentHelp(
            "Let happen what the file says: a line each, with a time after the start and a command "
                + "(\"10s cut\").", valueName: "file"))
    var scenario: String?

    @Option(
        help: ArgumentHelp(
            "Let so many things go wrong a minute, by the seed: lost connections and histories, errors, "
                + "silence.", valueName: "number"))
    var faultsPerMinute = 0.0

    @Flag(
        help:
            "Let the nodes that are there at the start have kubelets that answer /stats/summary.")
    var kubelets = false

    @Flag(help: "Give the kubeconfig a client certificate instead of a token.")
    var clientCertificate = false

    @Option(
        help: ArgumentHelp(
            "Where to write the kubeconfig, or of which simulation it is that a command is for.",
            valueName: "file"))
    var kubeconfig: String?

    @Flag(help: .hidden)
    var untilInputEnds = false

    @Argument(help: "A command for a running simulation.")
    var command: [String] = []

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            // 2 for wrong usage, as all of plimsoll's commands.
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            FileHandleText.write(fullMessage(for: error) + "\n", to: STDERR_FILENO)
            endProgram(2)
        }
    }

    func validate() throws {
        guard nodes >= 0, nodes <= 1_000_000 else {
            throw ValidationError("--nodes must be from 0 to 1000000.")
        }
        guard changesPerMinute >= 0, heartbeatInterval >= 0, bookmarkInterval > 0,
            faultsPerMinute >= 0
        else {
            throw ValidationError("Rates and intervals must not be negative.")
        }
        for name in profile.split(separator: ",") where NodeShape(rawValue: String(name)) == nil {
            let known = NodeShape.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("Unknown profile \"\(name)\"; there are \(known).")
        }
        guard (0...65535).contains(port) else {
            throw ValidationError("--port must be from 0 to 65535.")
        }
    }

    func run() async throws {
        if command.isEmpty { return try await serve() }
        let path = kubeconfig ?? RunFiles.latest()
        for line in try await ControlSocket.send(command, to: RunFiles.control(of: path)) {
            print(line)
        }
    }

    private func readScenario() throws -> Scenario? {
        guard let scenario else { return nil }
        guard let text = try? String(contentsOfFile: scenario, encoding: .utf8) else {
            throw ValidationError("--scenario: cannot read \(scenario) as text")
        }
        do {
            return try Scenario(text, name: scenario)
        } catch {
            throw ValidationError(error.message)
        }
    }

    private func serve() async throws {
        let scenario = try readScenario()
        var clusterOptions = Cluster.Options()
        clusterOptions.nodeCount = nodes
        clusterOptions.shapes = profile.split(separator: ",").compactMap {
            NodeShape(rawValue: String($0))
        }
        clusterOptions.imagesPerNode = images
        clusterOptions.seed = seed
        let cluster = Cluster(clusterOptions)

        var options = SimulatorServer.Options()
        options.port = port
        options.hasStreamingLists = !noStreamingLists
        options.bookmarkInterval = .seconds(bookmarkInterval)
        options.shardSelection = shards
        options.hasKubelets = kubelets
        options.bytesPerSecond = bytesPerSecond?.bytes
        let server = try await SimulatorServer(cluster, options)

        let files = try RunFiles(server.port, kubeconfig)
        try files.write(
            clientCertificate
                ? server.kubeconfig(
                    user: try server.authority.user(options.adminUser, group: "system:masters"))
                : server.kubeconfig())
        defer { files.remove() }
        let command = ControlCommand(server)
        try await ControlSocket.listen(files.control, command)
        print(files.kubeconfig)
        fflush(nil)
        Self.say("Simulating \(nodes) nodes at \(server.url); interrupt to stop.")

        var churnOptions = Churn.Options()
        churnOptions.heartbeatInterval = .seconds(heartbeatInterval)
        churnOptions.changesPerMinute = changesPerMinute
        churnOptions.seed = seed
        let churn = Churn(cluster, churnOptions)
        let faults = RandomFaults(perMinute: faultsPerMinute, seed: seed)
        let life = Task { [faultsPerMinute] in
            await withTaskGroup { group in
                group.addTask { await churn.run() }
                group.addTask { await scenario?.run(command) { Self.say($0) } }
                if faultsPerMinute > 0 {
                    group.addTask { await faults.run(command) { Self.say($0) } }
                }
            }
        }
        await Interruption.wait(untilInputEnds: untilInputEnds)
        life.cancel()
        try await server.stop()
    }

    private static func say(_ text: String) {
        FileHandleText.write(text + "\n", to: STDERR_FILENO)
    }

    private static func padded(_ text: String) -> String {
        text + String(repeating: " ", count: max(0, 28 - text.count))
    }
}

/// Ends the program with an exit code.
private func endProgram(_ code: Int32) -> Never { exit(code) }

/// Files of a running simulation.
struct RunFiles {
    let kubeconfig: String
    var control: String { Self.control(of: kubeconfig) }

    /// Beside the kubeconfig, so that who has the one finds the other.
    static func control(of kubeconfig: String) -> String { kubeconfig + ".control" }

    private static let folder =
        (ProcessInfo.processInfo.environment["TMPDIR"].map { $0.hasSuffix("/") ? $0 : $0 + "/" }
            ?? "/tmp/") + "plimsoll-sim-\(getuid())"

    init(_ port: Int, _ wanted: String?) throws {
        if let wanted {
            kubeconfig = wanted
        } else {
            mkdir(Self.folder, 0o700)
            kubeconfig = "\(Self.folder)/\(port).kubeconfig"
        }
    }

    /// The simulation that was started last.
    static func latest() -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/latest"))
            ?? folder + "/latest"
    }

    /// The file holds a token: only its owner may read it.
    func write(_ text: String) throws {
        unlink(kubeconfig)
        let file = open(kubeconfig, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw ValidationError(
                "cannot write \(kubeconfig): \(String(cString: strerror(errno)))")
        }
        FileHandleText.write(text, to: file)
        close(file)
        mkdir(Self.folder, 0o700)
        unlink(Self.folder + "/latest")
        symlink(kubeconfig, Self.folder + "/latest")
    }

    func remove() {
        unlink(kubeconfig)
        unlink(control)
        if Self.latest() == kubeconfig { unlink(Self.folder + "/latest") }
    }
}

enum FileHandleText {
    static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The end of the program from outside.
enum Interruption {
    /// Waits for SIGINT or SIGTERM, or for the end of standard input where that is wanted.
    static func wait(untilInputEnds: Bool) async {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield() }
            source.resume()
            sources.append(source)
        }
        if untilInputEnds {
            let input = DispatchQueue(label: "input")
            input.async {
                var byte: UInt8 = 0
                while read(STDIN_FILENO, &byte, 1) > 0 {}
                continuation.yield()
            }
        }
        for await _ in stream { break }
        withExtendedLifetime(sources) {}
    }
}

/// Bytes, as sizes are written: "100MB".
struct ByteRate: ExpressibleByArgument {
    var bytes: Int

    init?(argument: String) {
        guard let bytes = ControlCommand.bytes(argument), bytes > 0 else { return nil }
        self.bytes = bytes
    }
}
