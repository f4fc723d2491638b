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
            and % what share of it the images would be if they were on that filesystem.

              plimsoll get
              plimsoll get -l pool=gpu --sort-by storage
              plimsoll get NODE -o json
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, wide, json, yaml, name, csv
    }

    enum Order: String, ExpressibleByArgument, CaseIterable {
        case name, images, storage, percent
    }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions

    @Argument(help: "Only these nodes.")
    var nodes: [String] = []

    @OptionGroup var selectors: SelectorOptions

    @Option(name: .shortAndLong, help: "How to write it.")
    var output = Format.table

    @Option(help: "By what to sort; numbers come largest first.")
    var sortBy = Order.name

    func validate() throws {
        if !nodes.isEmpty, !selectors.isEmpty {
            throw ValidationError("Give node names or a selector, not both.")
        }
    }

    func run() async throws {
        let client = try connection.client(limits.decodingLimits)
        // One node is the server's work; of several, the list is asked for and the rest left out.
        var found = try await ClusterSnapshot.nodes(
            client,
            nodes.count == 1 ? NodeSelector(fields: "metadata.name=\(nodes[0])") : selectors.nodes)
        if !nodes.isEmpty { found = found.filter { nodes.contains($0.name) } }
        let detector = ImageChangeDetector(knowing: found)
        let rows = found.map { NodeRow($0, isTruncated: detector.isTruncated($0)) }.sorted(
            by: order)
        print(rows)
        let missing = nodes.filter { name in !found.contains { $0.name == name } }
        for name in missing { Talk.say("Error: node \"\(name)\" not found") }
        if !missing.isEmpty { throw ExitCode.failure }
    }

    private func order(_ left: NodeRow, _ right: NodeRow) -> Bool {
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

/// A node as people and scripts see it.
struct NodeRow {
    var node: NodeSummary
    var isTruncated: Bool

    init(_ node: NodeSummary, isTruncated: Bool) {
        self.node = node
        self.isTruncated = isTruncated
    }

    var percent: Double? {
        guard let bytes = node.imageBytes, let capacity = node.capacityBytes, capacity > 0 else {
            return nil
        }
        return Double(bytes) / Double(capacity) * 100
    }

    /// "Ready,SchedulingDisabled", as kubectl has it, with DiskPressure.
    var state: String {
        var parts: [String] = []
        switch node.ready {
        case .isTrue: parts.append("Ready")
        case .isFalse: parts.append("NotReady")
        case .unknown, .absent: parts.append("Unknown")
        }
        if node.diskPressure == .isTrue { parts.append("DiskPressure") }
        if node.isUnschedulable { parts.append("SchedulingDisabled") }
        return parts.joined(separator: ",")
    }

    private var storage: String {
        guard let bytes = node.imageBytes else { return "–" }
        return (isTruncated ? "≥ " : "") + ByteText.text(bytes)
    }

    static func table(_ rows: [NodeRow], isWide: Bool) -> TextTable {
        var table = TextTable(columns: [
            .init(title: "NAME"), .init(title: "IMAGES", isNumber: true),
            .init(title: "IMAGE-STORAGE", isNumber: true), .init(title: "CAPACITY", isNumber: true),
            .init(title: "%", isNumber: true), .init(title: "STATE"),
        ])
        if isWide {
            table.columns += ["POOL", "ZONE", "TYPE", "BASIS", "KUBELET", "RUNTIME"].map {
                .init(title: $0)
            }
        }
        table.rows = rows.map { row in
            let node = row.node
            var cells = [
                node.name, node.hasImageList ? "\(node.imageCount)" : "–", row.storage,
                node.capacityBytes.map(ByteText.text) ?? "–",
                row.percent.map { "\(Int($0.rounded()))" } ?? "–", row.state,
            ]
            if isWide {
                cells += [
                    node.pool ?? "–", node.zone ?? "–", node.instanceType ?? "–",
                    node.basis.rawValue, node.kubeletVersion ?? "–",
                    node.containerRuntimeVersion ?? "–",
                ]
            }
            return cells
        }
        return table
    }

    static func csvTable(_ rows: [NodeRow]) -> TextTable {
        let titles = [
            "name", "uid", "imageCount", "imageBytes", "capacityBytes", "basis", "truncated",
            "state", "pool", "zone", "resourceVersion",
        ]
        return TextTable(
            columns: titles.map { .init(title: $0) },
            rows: rows.map { row in
                let node = row.node
                return [
                    node.name, node.uid, "\(node.imageCount)",
                    node.imageBytes.map(String.init) ?? "",
                    node.capacityBytes.map(String.init) ?? "", node.basis.rawValue,
                    "\(row.isTruncated)", row.state, node.pool ?? "", node.zone ?? "",
                    node.resourceVersion,
                ]
            })
    }

    /// The keys that scripts depend on.
    var value: OutputValue {
        .object([
            ("name", .string(node.name)), ("uid", .string(node.uid)),
            ("imageBytes", .optional(node.imageBytes)), ("imageCount", .int(node.imageCount)),
            (
                "images",
                .array(
                    node.images.map { image in
                        .object([
                            ("names", .array(image.names.map { .string($0) })),
                            ("sizeBytes", .int(image.sizeBytes)),
                        ])
                    })
            ),
            ("basis", .string(node.basis.rawValue)), ("truncated", .bool(isTruncated)),
            ("state", .string(state)), ("capacityBytes", .optional(node.capacityBytes)),
            ("percentOfCapacity", .optional(percent.map { ($0 * 10).rounded() / 10 })),
            ("pool", .optional(node.pool)), ("zone", .optional(node.zone)),
            ("instanceType", .optional(node.instanceType)),
            ("kubeletVersion", .optional(node.kubeletVersion)),
            ("containerRuntimeVersion", .optional(node.containerRuntimeVersion)),
            ("resourceVersion", .string(node.resourceVersion)),
        ])
    }
}
