import ArgumentParser
import WatchEngine

@main
struct Plimsoll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plimsoll",
        abstract: "The load line for Kubernetes nodes: alerts when image storage changes.",
        version: Version.text,
        subcommands: [VersionCommand.self])
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version and the libraries it runs with.")

    func run() {
        print("plimsoll \(Version.text) (\(Version.platform))")
        print(String(cString: plm_library_versions()))
    }
}
