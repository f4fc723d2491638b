import ArgumentParser
import ImageAlerts
import KubeClient
import NodeWatch
import Synchronization

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Watch a recorded cluster: the same alerts, without the cluster.",
        discussion: """
            FILE is what `plimsoll record` wrote. All of it goes the way it would go from a server, \
            through decoder, store and alerts, with the recorded times.

              plimsoll replay nodes.rec
              plimsoll replay nodes.rec -o json | jq .deltaBytes
              zcat nodes.rec.gz | plimsoll replay --pace 10 -

            Ends with 0 at the recording's end, 1 where it cannot be read.
            """)

    @Argument(help: "The recording; -: standard input.", completion: .file())
    var file: String

    @Option(name: [.short, .customLong("output")], help: "How alerts are written.")
    var output = AlertFormat.text

    @Option(
        help: ArgumentHelp(
            "1: as fast as it was; 10: ten times as fast. Else as fast as it can be read.",
            valueName: "factor"))
    var pace: Double?

    @Flag(help: "Every byte goes through a parser; without it, what nobody asks for is skipped.")
    var strict = false

    @Flag(help: "At the end, print one JSON line of counts and costs to standard error.")
    var stats = false

    @OptionGroup var detection: DetectionOptions
    @OptionGroup var rules: RulesOption
    @OptionGroup var limits: LimitOptions

    func validate() throws {
        if let pace, !(pace > 0 && pace.isFinite) {
            throw ValidationError("--pace must be more than 0.")
        }
    }

    func run() async throws {
        let rules = try rules.read()
        let canceller = try Canceller()
        let signal = Atomic<Int32>(0)
        let interruption = Interruption { number in
            signal.store(number, ordering: .relaxed)
            canceller.cancel()
        }
        defer { withExtendedLifetime(interruption) {} }
        let command = self
        try await DedicatedThread.run {
            Result<Void, any Error> {
                let session = try ReplaySession(command, rules, canceller)
                try session.run()
                if command.stats { Talk.say(try Output.json(session.statistics)) }
            }
        }.get()
        if signal.load(ordering: .relaxed) == SignalNumber.interrupt { throw ExitCode(130) }
    }
}
