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

    /// The images of nodes, each once, in no particular order.
    package static func all(of nodes: [NodeSummary]) -> [ClusterImage] {
        var census = Census()
        for node in nodes { census.take(node.record) }
        return census.images
    }
}

/// Counts images: those with the same digest are one.
private struct Census {
    private enum Key: Hashable {
        case digest(String)
        case entry(ContainerImage)
    }

    private var found: [ContainerImage] = []
    /// By place: how many nodes, and which was counted last. Two entries of a node may be the same image.
    private var counts: [(nodes: Int, last: Int)] = []
    private var keys: [Key: UInt32] = [:]
    private var entries = ImagePlaces()
    private var places: [UInt32] = []
    private var node = 0

    var images: [ClusterImage] {
        zip(found, counts).map { ClusterImage(image: $0, nodes: $1.nodes) }
    }

    mutating func take(_ record: PackedNode) {
        node += 1
        places.removeAll(keepingCapacity: true)
        entries.append(of: record, to: &places) { [node] image in
            let key = image.digest.map { Key.digest($0) } ?? .entry(image)
            if let place = keys[key] { return place }
            let place = UInt32(found.count)
            keys[key] = place
            found.append(image)
            counts.append((0, node - 1))
            return place
        }
        for place in places where counts[Int(place)].last != node {
            counts[Int(place)].nodes += 1
            counts[Int(place)].last = node
        }
    }
}
