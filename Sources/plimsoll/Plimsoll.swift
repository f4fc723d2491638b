import ArgumentParser
import KubeClient
import ProcessMemory

@main
struct Plimsoll: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plimsoll",
        abstract: "The load line for Kubernetes nodes: alerts when image storage changes.",
        discussion: """
              plimsoll demo                      see it work on a simulated cluster
              plimsoll watch                     watch the cluster of the current context
              plimsoll watch --context prod -l pool=gpu -o json
              plimsoll get --sort-by storage     list nodes with their image storage
              plimsoll sim --nodes 5000          a cluster to try things on
            """,
        version: Version.text,
        subcommands: [
            WatchCommand.self, GetCommand.self, ImagesCommand.self, AnnotateCommand.self,
            DeleteCommand.self, DoctorCommand.self, DemoCommand.self, SimCommand.self,
            RecordCommand.self, ReplayCommand.self, RulesCommand.self, SinksCommand.self,
            CheckCommand.self, WhyCommand.self, TopCommand.self, RunCommand.self,
            DecodeCommand.self,
            VersionCommand.self,
        ])

    static func main() async {
        SignalNumber.ignoreBrokenPipes()
        // Of loading.
        process_memory_give_back()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            end(with: error)
        }
    }

    /// Ends the program: 0 fine (help, version), 1 failure, 2 usage.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        if code.isSuccess {
            if !message.isEmpty { Output.line(message) }
            endProgram(0)
        }
        if !message.isEmpty { Talk.say(message) }
        endProgram(code == .validationFailure ? 2 : code.rawValue)
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version and the libraries it runs with.")

    func run() {
        print("plimsoll \(Version.text) (\(Version.platform))")
        print(LibraryVersions.text)
    }
}
