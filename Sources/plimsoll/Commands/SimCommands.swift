import ArgumentParser
import KubeClient

struct SimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sim",
        abstract: "Run a simulated cluster, or change one that runs.",
        discussion: "All arguments go to plimsoll-sim: see `plimsoll sim --help`.")

    @Argument(parsing: .captureForPassthrough)
    var arguments: [String] = []

    func run() throws {
        try ChildProgram.replaceSelf(
            with: try ChildProgram.find(ChildProgram.simulator), arguments)
    }
}

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Watch a simulated cluster, and see what alerts look like.",
        discussion: """
            A kube-apiserver of 40 nodes is simulated on this machine, whose nodes pull images, roll
            out new versions and collect garbage. Interrupt it to stop.

              plimsoll demo
              plimsoll demo --for 20s -o json
            """)

    @OptionGroup var options: WatchOptions

    @Option(help: "How many nodes.")
    var nodes = 40

    @Option(help: "Changes of images a minute, in the whole cluster.")
    var changesPerMinute = 60.0

    @Option(help: "Same seed, same cluster.")
    var seed: UInt64 = 1

    func run() async throws {
        let child = try RunningChild(
            try ChildProgram.find(ChildProgram.simulator),
            [
                "--nodes", "\(nodes)", "--changes-per-minute", "\(changesPerMinute)", "--seed",
                "\(seed)", "--profile", "eks,gke", "--heartbeat-interval", "30",
                "--until-input-ends",
            ])
        defer { child.stop() }
        guard let kubeconfig = child.firstLine() else {
            throw Failure("the simulator did not start; see above")
        }
        Talk.say("The same from elsewhere: plimsoll watch --kubeconfig \(kubeconfig)")
        let configuration = try KubeConfiguration.load(.file(kubeconfig))
        let code = try await WatchSession([KubeClient(configuration)], try options.session()).run()
        throw ExitCode(code)
    }
}
