internal import KubeClient
package import WatchEngine

/// Nodes by name: records in one array, found by their names' bytes without making a string.
///
/// A value type that shares its storage until one of the copies is changed, so a reader's snapshot
/// costs nothing unless the cluster moves on while it is held, and 40 bytes a node then.
package struct NodeTable: CacheTable {
    package struct Entry: Sendable {
        package var record: PackedNode
        package var version: ResourceVersion
        /// Seconds on the owner's clock when the server last spoke of the node.
        package var seen: UInt32
        var hash: UInt32

        package var summary: NodeSummary { NodeSummary(record: record, version: version) }
    }

    package typealias Outcome = CacheOutcome<NodeSummary>

    package private(set) var entries: [Entry] = []
    private var index = ByteIndex()

    package init() {}

    package var count: Int { entries.count }

    package func find(_ name: UnsafeRawBufferPointer) -> Int? {
        find(name, hash: ByteIndex.hash(name))
    }

    package func find(_ name: String) -> Int? {
        var copy = name
        return copy.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    package func object(at position: Int) -> NodeSummary { entries[position].summary }
    package func position(of key: String) -> Int? { find(key) }
    package func position(matching object: NodeSummary) -> Int? {
        object.record.withName { find($0) }
    }

    /// Applies an ADDED or MODIFIED. `known` is asked for a record to share when this table has no
    /// equal one, so that a second copy of the same list shares its records with the first.
    package mutating func apply(
        _ node: borrowing plm_node, version: ResourceVersion, images: ImageTable, seen: UInt32,
        sharing known: ((UnsafeRawBufferPointer) -> PackedNode?)? = nil
    ) -> Outcome {
        let name = node.name.raw
        let hash = ByteIndex.hash(name)
        if let position = find(name, hash: hash) {
            if version.isOutdated(by: entries[position].version) { return .outdated }
            if entries[position].record.isSame(as: node, images: images) {
                entries[position].version = version
                entries[position].seen = seen
                return .heartbeat
            }
            guard let record = PackedNode(node, images: images) else { return .broken }
            return replace(position, with: record, version: version, seen: seen)
        }
        if let shared = known?(name), shared.isSame(as: node, images: images) {
            return insert(shared, version: version, seen: seen, hash: hash)
        }
        guard let record = PackedNode(node, images: images) else { return .broken }
        return insert(record, version: version, seen: seen, hash: hash)
    }

    /// Applies a DELETED, which carries the node's last state and the deletion's resourceVersion.
    package mutating func delete(
        _ node: borrowing plm_node, version: ResourceVersion, images: ImageTable
    ) -> Outcome {
        guard let position = find(node.name.raw) else { return .outdated }
        let old = entries[position].summary
        if version.isOutdated(by: old.version) { return .outdated }
        var last = NodeSummary(record: old.record, version: version)
        if !old.record.isSame(as: node, images: images),
            let record = PackedNode(node, images: images), record.isSameObject(as: old.record)
        {
            last = NodeSummary(record: record, version: version)
        }
        remove(at: position)
        return .deleted(old: old, last: last)
    }

    /// Puts an entry in as it is, unless its name is there.
    package mutating func adopt(_ entry: Entry) {
        guard entry.record.withName({ find($0, hash: entry.hash) }) == nil else { return }
        index.insert(entry.hash, entries.count)
        entries.append(entry)
    }

    /// Puts a summary in its node's place. For tests and for what did not come from an engine.
    package mutating func apply(_ summary: NodeSummary, seen: UInt32) -> Outcome {
        let hash = summary.record.withName { ByteIndex.hash($0) }
        guard let position = summary.record.withName({ find($0, hash: hash) }) else {
            return insert(summary.record, version: summary.version, seen: seen, hash: hash)
        }
        if summary.version.isOutdated(by: entries[position].version) { return .outdated }
        return replace(position, with: summary.record, version: summary.version, seen: seen)
    }

    /// Takes a node out by name.
    package mutating func delete(_ name: String) -> Outcome {
        guard let position = find(name) else { return .outdated }
        let old = entries[position].summary
        remove(at: position)
        return .deleted(old: old, last: old)
    }

    private func find(_ name: UnsafeRawBufferPointer, hash: UInt32) -> Int? {
        index.find(hash) { position in
            entries[position].record.withName { $0.hasSameBytes(as: name) }
        }
    }

    private mutating func insert(
        _ record: PackedNode, version: ResourceVersion, seen: UInt32, hash: UInt32
    ) -> Outcome {
        index.insert(hash, entries.count)
        let entry = Entry(record: record, version: version, seen: seen, hash: hash)
        entries.append(entry)
        return .added(entry.summary)
    }

    private mutating func replace(
        _ position: Int, with record: PackedNode, version: ResourceVersion, seen: UInt32
    ) -> Outcome {
        let old = entries[position].summary
        entries[position].record = record
        entries[position].version = version
        entries[position].seen = seen
        let new = entries[position].summary
        if !old.record.isSameObject(as: record) { return .replaced(old: old, new: new) }
        // Equal content of two clients: the new record stays, so that the old table can go.
        return old.record.hasSameContent(as: record) ? .heartbeat : .updated(old: old, new: new)
    }

    private mutating func remove(at position: Int) {
        index.remove(entries[position].hash, position)
        let last = entries.count - 1
        if position != last {
            index.move(entries[last].hash, from: last, to: position)
            entries.swapAt(position, last)
        }
        entries.removeLast()
    }
}

extension NodeSummary: CachedObject {
    package var cacheKey: String { name }
    package func sharesStorage(with other: NodeSummary) -> Bool { record === other.record }
}

package typealias NodeHub = Hub<NodeTable>
