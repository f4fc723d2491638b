import ArgumentParser
import ImageAlerts
import KubeClient
import NodeWatch
import Synchronization

/// `get --watch`: the nodes, then each again when it changes.
struct NodeRowWatch {
    private enum Start: Sendable {
        case synced
        case failed(String)
    }

    private let client: KubeClient
    private let command: GetCommand
    private var widths: [Int] = []

    init(_ client: KubeClient, _ command: GetCommand) {
        self.client = client
        self.command = command
    }

    /// Runs until nobody reads any more.
    mutating func run() async throws {
        let (starts, start) = AsyncStream.makeStream(of: Start.self)
        let configuration = client.configuration
        let hasSynced = Atomic(false)
        let informer = try SharedNodeInformer(client: client, selector: command.selector) {
            notice in
            switch notice {
            case .synced:
                hasSynced.store(true, ordering: .relaxed)
                start.yield(.synced)
            case .problem(let error, let delay, let version):
                let text = ProblemText.text(error, configuration)
                if !hasSynced.load(ordering: .relaxed), ProblemText.isHopeless(error) {
                    // Not to be tried again, and told as the program's end.
                    start.yield(.failed(text))
                    return
                }
                Talk.say(ProblemText.line(text, error, delay, version))
            case .resumed, .rejected, .checkpoint: notice.text.map(Talk.say)
            case .listing, .handlerFailed: break
            }
        }
        // Begun before anything can happen, so that nothing is missed.
        var changes = informer.changes().makeAsyncIterator()
        let watching = Task { try await informer.run() }
        defer { watching.cancel() }
        if case .failed(let problem)? = await starts.first(where: { _ in true }) {
            throw Failure(problem)
        }
        var cap = ImageListCap(knowing: informer.store.nodes)
        show(informer.store.nodes.filter(isWanted), cap)
        while let change = await changes.next() {
            cap.learn(change.node)
            guard isWanted(change.node) else { continue }
            var row = NodeRow(change.node, isTruncated: cap.isTruncated(change.node))
            switch change {
            case .added(_, let isInitial) where isInitial: continue
            case .updated(let old, _):
                // What did not change in the table is not shown again.
                let before = NodeRow(old, isTruncated: cap.isTruncated(old))
                if isTable, cells(before) == cells(row) { continue }
            case .deleted: row.isDeleted = true
            case .added: break
            }
            show(row)
        }
    }

    private var isTable: Bool { [.table, .wide, .name].contains(command.output) }

    private func isWanted(_ node: NodeSummary) -> Bool {
        command.nodes.isEmpty || command.nodes.contains(node.name)
    }

    private func cells(_ row: NodeRow) -> [String] { row.cells(isWide: command.output == .wide) }

    private mutating func show(_ nodes: [NodeSummary], _ cap: ImageListCap) {
        let rows = nodes.map { NodeRow($0, isTruncated: cap.isTruncated($0)) }
            .sorted(by: command.order)
        switch command.output {
        case .table, .wide:
            let table = NodeRow.table(rows, isWide: command.output == .wide)
            widths = table.widths
            Output.line(table.text)
        case .csv: Output.line(NodeRow.csvTable(rows).csv)
        case .json, .yaml, .name: rows.forEach(show)
        }
    }

    private func show(_ row: NodeRow) {
        switch command.output {
        case .table, .wide:
            let table = NodeRow.table([], isWide: command.output == .wide)
            Output.line(table.line(cells(row), widths))
        case .csv: Output.line(TextTable.csvLine(row.csvCells))
        case .json: Output.line(row.value.jsonLine)
        case .yaml: Output.text("---\n" + row.value.yaml())
        case .name: Output.line("node/\(row.node.name)")
        }
    }
}
