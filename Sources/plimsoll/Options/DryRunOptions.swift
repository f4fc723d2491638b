import ArgumentParser

/// Whether a write is to be kept.
struct DryRunOptions: ParsableArguments {
    enum Mode: String, ExpressibleByArgument, CaseIterable { case none, server }

    @Option(
        help: ArgumentHelp(
            "With server, the API server does all but keep the result.", valueName: "mode"))
    var dryRun = Mode.none

    var isDryRun: Bool { dryRun == .server }

    /// What follows "annotated" and "deleted".
    var suffix: String { isDryRun ? " (server dry run)" : "" }
}
