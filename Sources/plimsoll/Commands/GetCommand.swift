import ArgumentParser
import ImageAlerts
import NodeWatch

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "List nodes with their image storage.",
        discussion: """
            IMAGE-STORAGE is the sum of the sizes that the kubelet reports, which is not disk used; \
            with ≥ its list is cut and there may be more. CAPACITY is the node's ephemeral storage, \
            and % what share of it the images would be if they were on that filesystem. With --image-fs \
            the kubelets are asked what images and containers really take: IMAGEFS is what is used, \
            FULL what share of that filesystem is not free.

              plimsoll get
              plimsoll get -l pool=gpu --sort-by storage
              plimsoll get NODE -o json
              plimsoll get --watch

            With --watch a line follows for every change, until interrupted; JSON then comes as one \
            object a line.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, wide, json, yaml, name, csv
    }

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case name, images, storage, percent
    }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions
    @OptionGroup var kubelet: KubeletOptions

    @Argument(help: "Only these nodes.")
    var nodes: [String] = []

    @OptionGroup var selectors: SelectorOptions

    @Option(name: .shortAndLong, help: "How to write it.")
    var output = Format.table

    @Option(help: "By what to sort; numbers come largest first.")
    var sortBy = Order.name

    @Flag(name: .shortAndLong, help: "After the list, show every change.")
    var watch = false

    func validate() throws {
        if watch, kubelet.imageFS {
            throw ValidationError("--image-fs is for one list, not for --watch.")
        }
        if !nodes.isEmpty, !selectors.isEmpty {
            throw ValidationError("Give node names or a selector, not both.")
        }
    }

    func run() async throws {
        let client = try connection.client(limits.decodingLimits)
        if watch {
            var rows = NodeRowWatch(client, self)
            return try await rows.run()
        }
        var found = try await ClusterSnapshot.nodes(client, selector)
        if !nodes.isEmpty { found = found.filter { nodes.contains($0.name) } }
        let cap = ImageListCap(knowing: found)
        var rows = found.map { NodeRow($0, isTruncated: cap.isTruncated($0)) }
        if let kubelets = kubelet.kubelets(client), !rows.isEmpty {
            let readings = try await ImageFileSystems.read(found.map(\.name), kubelets)
            for index in rows.indices {
                rows[index].imageFileSystem = .some(readings[rows[index].node.name])
            }
        }
        rows.sort(by: order)
        print(rows)
        let missing = nodes.filter { name in !found.contains { $0.name == name } }
        for name in missing { Talk.say("Error: node \"\(name)\" not found") }
        if !missing.isEmpty { throw ExitCode.failure }
    }

    /// One node is the server's work; of several, the list is asked for and the rest left out.
    var selector: NodeSelector {
        nodes.count == 1 ? NodeSelector(fields: "metadata.name=\(nodes[0])") : selectors.nodes
    }

    func order(_ left: NodeRow, _ right: NodeRow) -> Bool {
        func key(_ row: NodeRow) -> Double {
            switch sortBy {
            case .name: 0
            case .images: Double(row.node.imageCount)
            case .storage: Double(row.node.imageBytes ?? -1)
            case .percent: row.percent ?? -1
            }
        }
        return (key(right), left.node.name) < (key(left), right.node.name)
    }

    private func print(_ rows: [NodeRow]) {
        switch output {
        case .name: rows.forEach { Output.line("node/\($0.node.name)") }
        case .json: Output.line(list(rows).json())
        case .yaml: Output.text(list(rows).yaml())
        case .csv: Output.line(NodeRow.csvTable(rows).csv)
        case .table, .wide:
            if rows.isEmpty {
                Talk.say("No nodes found.")
            } else {
                Output.line(NodeRow.table(rows, isWide: output == .wide).text)
            }
        }
    }

    private func list(_ rows: [NodeRow]) -> OutputValue {
        .object([
            ("apiVersion", .string("plimsoll/v1")), ("kind", .string("NodeImageSummaryList")),
            ("items", .array(rows.map(\.value))),
        ])
    }
}
