import FoundationEssentials
public import KubeClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file in which an informer keeps what it knows, to go on from there when it is started again: instead of
/// a list, a watch from that version on, so that changes in between are told as such. Where the server has
/// forgotten the version, a list is compared with what was known.
///
/// Only of the same cluster: one has the name that it is given here, else its server's address and authority.
/// And only for the same selector.
public struct NodeCheckpoint: Sendable, Hashable {
    /// The file. Beside it a temporary one is written.
    public var path: String
    /// What the cluster is called, wherever its server may be; nil: it is known by that.
    public var clusterName: String?
    /// Time between two writes, where something changed; one more comes at the end.
    public var interval: Duration

    /// Names a file. Nothing is read or written yet.
    public init(path: String, clusterName: String? = nil, interval: Duration = .seconds(60)) {
        self.path = path
        self.clusterName = clusterName
        self.interval = interval
    }

    /// What became of it.
    public enum Notice: Sendable {
        /// There was one: so many nodes, as they were then (RFC 3339, in UTC).
        case found(nodes: Int, resourceVersion: String, savedAt: String)
        /// There was one that cannot be used, and why. It now has another name.
        case setAside(reason: String, path: String)
        /// It could not be written, or read.
        case failed(KubeError)
    }

    /// What was known.
    package struct State: Sendable {
        package var table: NodeTable
        package var version: ResourceVersion
        package var savedAt: String
    }

    private struct Header: Codable {
        var plimsollCheckpoint = Self.currentVersion
        var cluster: String
        var selector: String
        var resourceVersion: String
        var savedAt: String
        var nodes: Int
        var bodyBytes: Int
        /// FNV-1a of the body.
        var checksum: UInt64

        static let currentVersion = 2
    }

    // MARK: Writing

    /// Writes what is known, all or nothing.
    ///
    /// - Throws: `file`.
    package func save(
        _ table: NodeTable, _ version: ResourceVersion, cluster: String, _ selector: NodeSelector
    ) throws(KubeError) {
        let body = CheckpointBody.bytes(table)
        let header = Header(
            cluster: clusterName ?? cluster, selector: selector.text,
            resourceVersion: version.string, savedAt: Date().formatted(.iso8601),
            nodes: table.count, bodyBytes: body.count,
            checksum: body.withUnsafeBytes { FNV1a.hash($0) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A struct of numbers and strings cannot fail to encode.
        let line = Array((try? encoder.encode(header)) ?? Data()) + [UInt8(ascii: "\n")]
        try FileWriter.replace(path, with: [line, body])
    }

    // MARK: Reading

    /// Reads it. Nil: there is none, or none that can be used, which is told.
    package func load(
        cluster: String, _ selector: NodeSelector, _ notify: (Notice) -> Void
    ) -> State? {
        guard access(path, F_OK) == 0 else { return nil }
        let bytes: [UInt8]
        do throws(KubeError) {
            bytes = try FileReader.read(path)
        } catch {
            notify(.failed(error))
            return nil
        }
        do throws(Unusable) {
            let state = try Self.parse(bytes, cluster: clusterName ?? cluster, selector.text)
            notify(
                .found(
                    nodes: state.table.count, resourceVersion: state.version.string,
                    savedAt: state.savedAt))
            return state
        } catch {
            let other = path + ".unused"
            if rename(path, other) != 0 {
                notify(.failed(.file("rename", path, errno)))
            }
            notify(.setAside(reason: error.reason, path: other))
            return nil
        }
    }

    private struct Unusable: Error {
        var reason: String
    }

    private static func parse(
        _ bytes: [UInt8], cluster: String, _ selector: String
    ) throws(Unusable) -> State {
        guard let end = bytes.prefix(1 << 20).firstIndex(of: UInt8(ascii: "\n")),
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes[..<end]))
        else { throw Unusable(reason: "it is no checkpoint") }
        guard header.plimsollCheckpoint == Header.currentVersion else {
            throw Unusable(reason: "it is of version \(header.plimsollCheckpoint)")
        }
        guard header.cluster == cluster else {
            throw Unusable(reason: "it is of another cluster, \(header.cluster)")
        }
        guard header.selector == selector else {
            throw Unusable(reason: "it is of other nodes, \(header.selector)")
        }
        let body = bytes[(end + 1)...]
        let table = body.withUnsafeBytes { body -> NodeTable? in
            guard body.count == header.bodyBytes, FNV1a.hash(body) == header.checksum else {
                return nil
            }
            return try? CheckpointBody.table(body, seen: 0)
        }
        guard let table, table.count == header.nodes,
            let version = ResourceVersion(header.resourceVersion)
        else { throw Unusable(reason: "it is damaged") }
        return State(table: table, version: version, savedAt: header.savedAt)
    }
}

extension NodeSelector {
    /// For comparing.
    fileprivate var text: String {
        var parts: [String] = []
        if !labels.isEmpty { parts.append("labels \(labels)") }
        if !fields.isEmpty { parts.append("fields \(fields)") }
        if let shard { parts.append("shard \(shard)") }
        return parts.isEmpty ? "all" : parts.joined(separator: ", ")
    }
}
