/// An image and the nodes that list it.
package struct ClusterImage: Sendable {
    /// As the first node lists it.
    package var image: ContainerImage
    /// How many nodes list it.
    package var nodes = 0

    /// Its size times its nodes; nil where that does not fit in 64 bits.
    package var totalBytes: Int? {
        let (product, overflow) = image.sizeBytes.multipliedReportingOverflow(by: nodes)
        return overflow ? nil : product
    }

    private enum Key: Hashable {
        case digest(String)
        case entry(ContainerImage)
    }

    /// The images of nodes, each once, in no particular order.
    package static func all(of nodes: [NodeSummary]) -> [ClusterImage] {
        var images: [Key: ClusterImage] = [:]
        // Nodes share nearly all entries: what their key is need be found out once.
        var keys: [ContainerImage: Key] = [:]
        for node in nodes {
            var seen: Set<Key> = []
            for image in node.images {
                let key = keys[image] ?? image.digest.map { .digest($0) } ?? .entry(image)
                keys[image] = key
                if seen.insert(key).inserted {
                    images[key, default: ClusterImage(image: image)].nodes += 1
                }
            }
        }
        return Array(images.values)
    }
}
