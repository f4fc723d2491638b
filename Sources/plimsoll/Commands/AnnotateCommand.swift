import ArgumentParser
import KubeClient

struct AnnotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotate",
        abstract: "Set or remove annotations of nodes.",
        discussion: """
            Names are nodes, KEY=VALUE sets an annotation and KEY- removes it. A node is read, changed \
            and put back; when somebody else writes it meanwhile, all again from what is there then, \
            so that no change is lost, theirs or ours. An annotation that has another value already is \
            changed only with --overwrite.

              plimsoll annotate NODE checked-by=me
              plimsoll annotate NODE OTHER checked-by=you stale- --overwrite
            """)

    /// What becomes of one annotation.
    private enum Change: Sendable {
        case set(String, String)
        case remove(String)
    }

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: ArgumentHelp("Nodes, and what to change.", valueName: "node|key=value|key-"))
    var words: [String]

    @Flag(help: "Change annotations that have another value already.")
    var overwrite = false

    @Option(
        help: ArgumentHelp("Only if the node is still at this version.", valueName: "version"))
    var resourceVersion: String?

    @Option(help: ArgumentHelp("Who owns the annotations.", valueName: "name"))
    var fieldManager = "plimsoll"

    @OptionGroup var dryRun: DryRunOptions

    private var nodes: [String] { words.filter { !$0.contains("=") && !$0.hasSuffix("-") } }

    private var changes: [Change] {
        words.compactMap { word in
            if let sign = word.firstIndex(of: "=") {
                return .set(String(word[..<sign]), String(word[word.index(after: sign)...]))
            }
            return word.hasSuffix("-") ? .remove(String(word.dropLast())) : nil
        }
    }

    func validate() throws {
        if nodes.isEmpty { throw ValidationError("Name a node.") }
        if changes.isEmpty {
            throw ValidationError("Say what to change: KEY=VALUE sets, KEY- removes.")
        }
        for case .set("", let value) in changes {
            throw ValidationError("\"=\(value)\" has no key before its =.")
        }
        if resourceVersion != nil, nodes.count > 1 {
            throw ValidationError("--resource-version is for one node.")
        }
    }

    func run() async throws {
        let client = try connection.client()
        let isComplete = await NodeWork.each(of: nodes, client) { node throws(KubeError) in
            try await annotate(node, client.nodes)
            return "annotated" + dryRun.suffix
        }
        if !isComplete { throw ExitCode.failure }
    }

    private func annotate(_ node: String, _ nodes: ResourceClient) async throws(KubeError) {
        let (changes, overwrite, wanted) = (changes, overwrite, resourceVersion)
        try await nodes.update(
            node, .init(isDryRun: dryRun.isDryRun, fieldManager: fieldManager)
        ) { object throws(KubeError) in
            if let wanted, object.resourceVersion != wanted {
                throw KubeError(
                    .request,
                    "cannot annotate node \(node): it is at version \(object.resourceVersion), not "
                        + "\(wanted)")
            }
            for change in changes {
                switch change {
                case .set(let key, let value):
                    if let old = object.annotations[key], old != value, !overwrite {
                        throw KubeError(
                            .request,
                            "cannot annotate node \(node): \(key) has the value \"\(old)\" already; "
                                + "--overwrite changes it")
                    }
                    object.annotations[key] = value
                case .remove(let key): object.annotations[key] = nil
                }
            }
        }
    }
}

/// The same work on several nodes: one that fails keeps nobody from the others.
enum NodeWork {
    /// Prints what was done with each node. Returns whether it worked with all.
    static func each(
        of nodes: [String], _ client: KubeClient,
        _ work: (String) async throws(KubeError) -> String
    ) async -> Bool {
        var isComplete = true
        for node in nodes {
            do throws(KubeError) {
                Output.line("node/\(node) \(try await work(node))")
            } catch {
                isComplete = false
                Talk.say("Error: \(ProblemText.text(error, client.configuration))")
            }
        }
        return isComplete
    }
}
