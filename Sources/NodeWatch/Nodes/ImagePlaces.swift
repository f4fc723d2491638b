/// Remembers the places that a caller gives to images. Nodes share nearly all entries of their image table: what
/// an entry is need be found out once.
struct ImagePlaces {
    /// Of the table whose entries are asked for: by id, place and one; 0: not known.
    private var known: [UInt32] = []
    private var table: ObjectIdentifier?
    /// Of the other tables.
    private var others: [ObjectIdentifier: [UInt32]] = [:]

    /// Appends the places of a record's images, in its order.
    ///
    /// - Parameter place: Gives the place of an entry that was not asked for before.
    mutating func append(
        of record: PackedNode, to places: inout [UInt32], place: (ContainerImage) -> UInt32
    ) {
        choose(ObjectIdentifier(record.imageTable))
        var images: [ContainerImage] = []
        record.withImageIDs { ids in
            for (index, id) in ids.enumerated() {
                let id = Int(id)
                if id < known.count, known[id] > 0 {
                    places.append(known[id] - 1)
                    continue
                }
                if images.isEmpty { images = record.images }
                guard index < images.count else { continue }
                if id >= known.count {
                    known += Array(repeating: 0, count: max(id + 1, 2 * known.count) - known.count)
                }
                known[id] = place(images[index]) + 1
                places.append(known[id] - 1)
            }
        }
    }

    private mutating func choose(_ next: ObjectIdentifier) {
        if next == table { return }
        if let table { others[table] = known }
        known = others.removeValue(forKey: next) ?? []
        table = next
    }
}
