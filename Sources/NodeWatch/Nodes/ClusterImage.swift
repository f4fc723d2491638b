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

/// Counts images. Nodes share nearly all entries: what an entry is need be found out once, and names are not
/// looked at again.
private struct Census {
    private enum Key: Hashable {
        case digest(String)
        case entry(ContainerImage)
    }

    /// An entry of an image table.
    private struct Entry: Hashable {
        var table: ObjectIdentifier
        var id: UInt32
    }

    private(set) var images: [ClusterImage] = []
    private var places: [Key: Int] = [:]
    private var entries: [Entry: Int] = [:]
    /// Which node was counted last, of each image: two entries of a node may be the same image.
    private var lastNodes: [Int] = []
    private var node = 0

    mutating func take(_ record: PackedNode) {
        node += 1
        let table = ObjectIdentifier(record.imageTable)
        var unknown: [Int] = []
        record.withImageIDs { ids in
            for (index, id) in ids.enumerated() {
                if let place = entries[Entry(table: table, id: id)] {
                    count(place)
                } else {
                    unknown.append(index)
                }
            }
        }
        if unknown.isEmpty { return }
        let images = record.images
        record.withImageIDs { ids in
            for index in unknown where images.indices.contains(index) {
                let place = place(of: images[index])
                entries[Entry(table: table, id: ids[index])] = place
                count(place)
            }
        }
    }

    private mutating func place(of image: ContainerImage) -> Int {
        let key = image.digest.map { Key.digest($0) } ?? .entry(image)
        if let place = places[key] { return place }
        places[key] = images.count
        images.append(ClusterImage(image: image))
        lastNodes.append(0)
        return images.count - 1
    }

    private mutating func count(_ place: Int) {
        guard lastNodes[place] != node else { return }
        lastNodes[place] = node
        images[place].nodes += 1
    }
}
