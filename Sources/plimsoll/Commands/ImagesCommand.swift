import ArgumentParser
import ImageAlerts
import NodeWatch

struct ImagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "images",
        abstract: "List a cluster's images: how large they are, and on how many nodes.",
        discussion: """
            An image is known by its digest, and where the nodes report none by its names and size. \
            TOTAL is its size times the nodes that list it; layers it shares with other images count \
            there, too. Nodes list their largest images only, 50 by default.

              plimsoll images --sort-by nodes
              plimsoll images --on NODE
              plimsoll images --waste

            --waste lists repositories of which nodes have several versions, with what all but the \
            largest take, and images that one node alone has. Which are in use nobody says.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, yaml, name, csv }
    enum Order: String, ExpressibleByArgument, CaseIterable { case name, size, nodes, total }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var limits: LimitOptions

    @Option(help: ArgumentHelp("Only images on this node.", valueName: "node"))
    var on: String?

    @Flag(help: "Report old versions, and images on one node only.")
    var waste = false

    @OptionGroup var selectors: SelectorOptions

    @Option(name: .shortAndLong, help: "How to write it.")
    var output = Format.table

    @Option(help: "By what to sort; numbers come largest first.")
    var sortBy = Order.total

    func validate() throws {
        if waste, ![.table, .json, .yaml].contains(output) {
            throw ValidationError("--waste is written as table, json or yaml.")
        }
        if on != nil, !selectors.isEmpty {
            throw ValidationError("Give --on NODE or a selector, not both.")
        }
    }

    func run() async throws {
        let client = try connection.client(limits.decodingLimits)
        let nodes = try await ClusterSnapshot.nodes(
            client,
            on.map { NodeSelector(fields: "metadata.name=\($0)") } ?? selectors.nodes)
        if let on, nodes.isEmpty { throw Failure("node \"\(on)\" not found") }
        if waste { return write(WasteReport(nodes)) }
        let images = ClusterImage.all(of: nodes).sorted(by: order)
        switch output {
        case .name: images.forEach { Output.line($0.image.displayName) }
        case .json: Output.line(list(images).json())
        case .yaml: Output.text(list(images).yaml())
        case .csv: Output.line(table(images, forPeople: false).csv)
        case .table:
            if images.isEmpty {
                Talk.say("No images found.")
            } else {
                Output.line(table(images, forPeople: true).text)
            }
        }
    }

    private func write(_ report: WasteReport) {
        switch output {
        case .json: Output.line(report.value.json())
        case .yaml: Output.text(report.value.yaml())
        case .table, .name, .csv:
            let text = report.text
            if text.isEmpty {
                Talk.say("No old versions, and no image on one node only.")
            } else {
                Output.line(text)
            }
        }
    }

    private func order(_ left: ClusterImage, _ right: ClusterImage) -> Bool {
        func key(_ image: ClusterImage) -> Double {
            switch sortBy {
            case .name: 0
            case .size: Double(image.image.sizeBytes)
            case .nodes: Double(image.nodes)
            // A total may not fit in 64 bits; for the order that does not matter.
            case .total: Double(image.image.sizeBytes) * Double(image.nodes)
            }
        }
        return (key(right), left.image.displayName) < (key(left), right.image.displayName)
    }

    private func table(_ images: [ClusterImage], forPeople: Bool) -> TextTable {
        let titles =
            forPeople
            ? ["IMAGE", "SIZE", "NODES", "TOTAL"]
            : ["name", "digest", "sizeBytes", "nodes", "totalBytes"]
        return TextTable(
            columns: titles.enumerated().map { .init(title: $1, isNumber: forPeople && $0 > 0) },
            rows: images.map { entry in
                let image = entry.image
                return forPeople
                    ? [
                        image.displayName, ByteText.text(image.sizeBytes),
                        NumberText.grouped(entry.nodes), entry.totalBytes.map(ByteText.text) ?? "–",
                    ]
                    : [
                        image.displayName, image.digest ?? "", "\(image.sizeBytes)",
                        "\(entry.nodes)", entry.totalBytes.map(String.init) ?? "",
                    ]
            })
    }

    private func list(_ images: [ClusterImage]) -> OutputValue {
        .object([
            ("apiVersion", .string("plimsoll/v1")), ("kind", .string("ClusterImageList")),
            (
                "items",
                .array(
                    images.map { entry in
                        .object([
                            ("name", .string(entry.image.displayName)),
                            ("digest", .optional(entry.image.digest)),
                            ("names", .array(entry.image.names.map { .string($0) })),
                            ("sizeBytes", .int(entry.image.sizeBytes)),
                            ("nodes", .int(entry.nodes)),
                            ("totalBytes", .optional(entry.totalBytes)),
                        ])
                    })
            ),
        ])
    }
}
