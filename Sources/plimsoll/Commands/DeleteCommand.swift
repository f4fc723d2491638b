import ArgumentParser
import KubeClient

struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete nodes from the cluster.",
        discussion: """
            The node's object goes at once: the API server accepts a grace period for it, and pays no \
            attention. Its machine goes on running; a kubelet that still does makes the node again \
            when it starts anew. To move its pods away first: kubectl drain NODE.

              plimsoll delete NODE --dry-run=server
              plimsoll delete NODE --uid 70e36c71-6e88-460c-a709-520c4ffd3b0e
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: ArgumentHelp("The nodes.", valueName: "node"))
    var nodes: [String]

    @Option(
        help: ArgumentHelp(
            "Sent as gracePeriodSeconds, which has no effect on nodes.", valueName: "seconds"))
    var gracePeriod: Int?

    @Option(
        help: ArgumentHelp(
            "Only if the node has this uid, and is not another of its name.", valueName: "uid"))
    var uid: String?

    @OptionGroup var dryRun: DryRunOptions

    func validate() throws {
        if let gracePeriod, gracePeriod < 0 {
            throw ValidationError("--grace-period must be 0 or more seconds.")
        }
        if uid != nil, nodes.count > 1 { throw ValidationError("--uid is for one node.") }
    }

    func run() async throws {
        let client = try connection.client()
        var options = ResourceClient.DeleteOptions()
        options.gracePeriodSeconds = gracePeriod
        options.uid = uid
        options.isDryRun = dryRun.isDryRun
        let isComplete = await NodeWork.each(of: nodes, client) { node throws(KubeError) in
            try await client.nodes.delete(node, options)
            return "deleted" + dryRun.suffix
        }
        if !isComplete { throw ExitCode.failure }
    }
}
