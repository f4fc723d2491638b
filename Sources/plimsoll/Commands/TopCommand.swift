import ArgumentParser
import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch
import PlimsollService
import Synchronization

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show the nodes live, the fullest first.",
        discussion: """
            A screen that stays: how full nodes are, what changed on them last, which images they have and which \
            nodes have an image. The first line always says how fresh that is.

            Keys: arrows or j k g G move, Enter opens a node or an image, Esc goes back, s sorts by the next \
            column, r reverses, / filters by a part of a name, i and n show all images and all nodes, q quits.

            Without a terminal, as in a pipe, it writes the table once and ends.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var selectors: SelectorOptions

    /// Nothing from the server for so long, and the screen says so. Bookmarks come about once a minute.
    private static let staleAfter = Duration.seconds(150)

    func run() async throws {
        let client = try connection.client(limits.decodingLimits)
        guard let terminal = RawTerminal() else { return try await writeOnce(client) }
        let problem = Mutex(String?.none)
        let informer: SharedNodeInformer
        do {
            informer = try SharedNodeInformer(client: client, selector: selectors.nodes) { notice in
                switch notice {
                case .problem(let error, _, _):
                    problem.withLock { $0 = ProblemText.text(error, client.configuration) }
                case .synced, .resumed: problem.withLock { $0 = nil }
                default: break
                }
            }
        } catch {
            terminal.close()
            throw error
        }
        let history = NodeHistory(start: Date())
        informer.addHandler { history.take($0, at: Date()) }
        let watching = Task { try? await informer.run() }
        let isInterrupted = Atomic(false)
        let interruption = Interruption { _ in isInterrupted.store(true, ordering: .relaxed) }
        defer { withExtendedLifetime(interruption) {} }
        await DedicatedThread.run {
            let session = TopSession(
                terminal, informer, history, cluster: client.configuration.contextName,
                staleAfter: Self.staleAfter)
            session.run(
                problem: { problem.withLock { $0 } },
                isOver: { isInterrupted.load(ordering: .relaxed) })
        }
        terminal.close()
        watching.cancel()
        await watching.value
    }

    /// What the first screen would show, whole.
    private func writeOnce(_ client: KubeClient) async throws {
        let nodes = try await ClusterSnapshot.nodes(client, selectors.nodes)
        let cap = ImageListCap(knowing: nodes)
        let rows = nodes.map { NodeRow($0, isTruncated: cap.isTruncated($0)) }.sorted {
            ($1.node.imageBytes ?? -1, $0.node.name) < ($0.node.imageBytes ?? -1, $1.node.name)
        }
        Output.line(NodeRow.table(rows, isWide: false).text)
    }
}

/// One run of `top`, on a thread of its own.
private final class TopSession {
    /// Keys are answered at once; news and another size of the screen within this.
    private static let tick: Int32 = 200
    /// Of a large cluster news are taken in less often: so many times what that took.
    private static let restPerCost = 10
    private static let leastRest = Duration.seconds(1)

    private let terminal: RawTerminal
    private let informer: SharedNodeInformer
    private let history: NodeHistory
    private let cluster: String
    private let staleAfter: Duration
    private var model = TopModel()
    private var shown: [String] = []
    private var size: RawTerminal.Size
    private var nextNews = ContinuousClock.now

    init(
        _ terminal: RawTerminal, _ informer: SharedNodeInformer, _ history: NodeHistory,
        cluster: String, staleAfter: Duration
    ) {
        self.terminal = terminal
        self.informer = informer
        self.history = history
        self.cluster = cluster
        self.staleAfter = staleAfter
        size = terminal.size
    }

    func run(problem: () -> String?, isOver: () -> Bool) {
        while !isOver(), !model.isOver {
            if ContinuousClock.now >= nextNews || model.wantsNews { takeNews() }
            draw(problem())
            guard let keys = terminal.keys(within: Self.tick) else { return }
            for key in keys {
                model.press(key)
                if model.wantsNews { takeNews() }
            }
        }
    }

    private func takeNews() {
        let start = ContinuousClock.now
        model.take(informer.store.nodes, history: history)
        let cost = ContinuousClock.now - start
        nextNews = .now + max(Self.leastRest, cost * Self.restPerCost)
    }

    /// Writes the lines that are others than before.
    private func draw(_ problem: String?) {
        let now = terminal.size
        if now != size { shown = [] }
        size = now
        model.height = max(1, size.rows - TopScreen.frameLines)
        model.fit()
        let freshness = informer.freshness
        let status = TopScreen.Status(
            cluster: cluster, freshness: freshness,
            objection: problem ?? freshness.objection(staleAfter: staleAfter),
            now: UInt32(clamping: Int(Date().timeIntervalSince1970)))
        let lines = TopScreen(size: size, isColored: Terminal.outputIsColored).lines(model, status)
        var text = shown.isEmpty ? "\u{1b}[2J" : ""
        for (index, line) in lines.enumerated()
        where !shown.indices.contains(index) || shown[index] != line {
            text += "\u{1b}[\(index + 1);1H\u{1b}[K\(line)"
        }
        shown = lines
        if !text.isEmpty { terminal.write(text) }
    }
}
