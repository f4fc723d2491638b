import ImageAlerts
import NodeWatch

/// What takes room that may not be needed: several versions of one repository on a node, and images that one
/// node alone has. The API does not say which images are in use.
struct WasteReport {
    struct Repository {
        var name: String
        /// Different images of it, in all the nodes.
        var versions: Set<ContainerImage> = []
        /// Nodes that have more than one.
        var nodes = 0
        /// All but the largest of each node.
        var bytes = 0
    }

    /// The most bytes first.
    let repositories: [Repository]
    /// Images that one node alone lists, and which; the largest first.
    let lonely: [(image: ContainerImage, node: String)]

    init(_ nodes: [NodeSummary]) {
        var repositories: [String: Repository] = [:]
        for node in nodes {
            for group in RepositoryVersions.all(of: node.images) {
                var known = repositories[group.repository] ?? Repository(name: group.repository)
                known.versions.formUnion(group.images)
                if group.images.count > 1 {
                    let largest = group.images.map(\.sizeBytes).max() ?? 0
                    known.nodes += 1
                    known.bytes =
                        known.bytes.addingReportingOverflow(group.bytes - largest)
                        .partialValue
                }
                repositories[group.repository] = known
            }
        }
        self.repositories = repositories.values.filter { $0.nodes > 0 }
            .sorted { ($0.bytes, $1.name) > ($1.bytes, $0.name) }
        let once = Set(
            ClusterImage.all(of: nodes).filter { $0.nodes == 1 }.map(\.image))
        lonely = nodes.flatMap { node in
            node.images.filter(once.contains).map { ($0, node.name) }
        }.sorted {
            ($0.image.sizeBytes, $1.node, $1.image.displayName)
                > ($1.image.sizeBytes, $0.node, $0.image.displayName)
        }
    }

    /// Two tables.
    var text: String {
        var several = TextTable(columns: [
            .init(title: "SEVERAL VERSIONS OF"), .init(title: "VERSIONS", isNumber: true),
            .init(title: "NODES", isNumber: true), .init(title: "BEYOND ONE EACH", isNumber: true),
        ])
        several.rows = repositories.map {
            [
                $0.name, "\($0.versions.count)", NumberText.grouped($0.nodes),
                ByteText.text($0.bytes),
            ]
        }
        var alone = TextTable(columns: [
            .init(title: "ON ONE NODE ONLY"), .init(title: "SIZE", isNumber: true),
            .init(title: "NODE"),
        ])
        alone.rows = lonely.map {
            [$0.image.displayName, ByteText.text($0.image.sizeBytes), $0.node]
        }
        return [several, alone].filter { !$0.rows.isEmpty }.map(\.text).joined(separator: "\n\n")
    }

    var value: OutputValue {
        .object([
            ("apiVersion", .string("plimsoll/v1")), ("kind", .string("ImageWasteReport")),
            (
                "repositories",
                .array(
                    repositories.map {
                        .object([
                            ("name", .string($0.name)), ("versions", .int($0.versions.count)),
                            ("nodes", .int($0.nodes)), ("bytesBeyondOneEach", .int($0.bytes)),
                        ])
                    })
            ),
            (
                "onOneNodeOnly",
                .array(
                    lonely.map {
                        .object([
                            ("name", .string($0.image.displayName)),
                            ("sizeBytes", .int($0.image.sizeBytes)), ("node", .string($0.node)),
                        ])
                    })
            ),
        ])
    }
}
