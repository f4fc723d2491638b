package import KubeClient
package import WatchEngine

/// Makes packed nodes of the engine's.
package struct NodeReader: StreamReader {
    private var images: ImageTable
    /// Keys of labels to keep beyond those that are always kept.
    private let labels: [String]
    /// Every byte goes through a parser.
    private let isStrict: Bool
    package let wireFormat: WireFormat

    package init(isStrict: Bool, _ wireFormat: WireFormat, labels: [String] = []) {
        self.labels = labels
        images = ImageTable(furtherLabels: labels)
        self.isStrict = isStrict
        self.wireFormat = wireFormat
    }

    package let path = "/api/v1/nodes"
    package let resourceName = "nodes"

    package func withProjection<Result>(_ body: (UnsafePointer<plm_projection>) -> Result) -> Result
    {
        NodeLabels.withProjection(isStrict: isStrict, further: labels, body)
    }

    package mutating func beginImages() { images = ImageTable(furtherLabels: labels) }
    package mutating func define(_ image: plm_image) { images.define(image) }

    package mutating func takeRetiredImages() -> [UInt32] { images.takeRetired() }

    package func name(of event: plm_event) -> plm_text { event.node.name }
    package func namespace(of event: plm_event) -> plm_text { plm_text() }

    package func version(of event: plm_event) -> ResourceVersion? {
        ResourceVersion(event.node.resource_version.raw)
    }

    package func knownVersion(of event: plm_event, in table: NodeTable) -> ResourceVersion? {
        guard let position = table.find(event.node.name.raw),
            table.entries[position].summary.uid == event.node.uid.string
        else { return nil }
        return table.entries[position].version
    }

    package func apply(
        _ event: plm_event, version: ResourceVersion, to table: inout NodeTable, known: NodeTable?,
        seen: UInt32
    ) -> NodeTable.Outcome {
        guard let known else {
            return table.apply(event.node, version: version, images: images, seen: seen)
        }
        return table.apply(
            event.node, version: version, images: images, seen: seen,
            sharing: { name in known.find(name).map { known.entries[$0].record } })
    }

    package func delete(
        _ event: plm_event, version: ResourceVersion, from table: inout NodeTable
    ) -> NodeTable.Outcome {
        table.delete(event.node, version: version, images: images)
    }

    package func adopt(
        _ name: plm_text, in namespace: plm_text, _ known: NodeTable, _ table: inout NodeTable
    ) {
        if let position = known.find(name.raw) { table.adopt(known.entries[position]) }
    }
}
