import KubeClient

/// Which nodes to watch. The server does the selecting, of a shard where it can.
public struct NodeSelector: Sendable, Hashable {
    /// As kubectl's `--selector`: "pool=gpu,zone in (a,b)". Empty: all.
    public var labels: String
    /// As kubectl's `--field-selector`: "metadata.name=n", "spec.unschedulable=true". Empty: all.
    public var fields: String
    /// Only this part of them; nil: all.
    public var shard: Shard?

    /// Makes a selector from label and field selectors, and a shard.
    public init(labels: String = "", fields: String = "", shard: Shard? = nil) {
        self.labels = labels
        self.fields = fields
        self.shard = shard
    }

    /// All nodes.
    public static let all = NodeSelector()

    /// Nodes with these labels.
    public static func labels(_ selector: String) -> NodeSelector {
        NodeSelector(labels: selector)
    }
}

extension Reflector.Request {
    /// Path and query of the request.
    ///
    /// - Parameter asksForShard: Whether the server may be asked for the shard alone.
    func target(
        _ path: String, _ selector: NodeSelector, asksForShard: Bool = true, timeoutSeconds: Int
    ) -> String {
        var query: [(String, String)] = []
        switch self {
        case .streamingList(let version):
            query = [
                ("watch", "true"), ("sendInitialEvents", "true"),
                ("resourceVersionMatch", "NotOlderThan"), ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", "\(timeoutSeconds)"),
            ]
            if let version { query.append(("resourceVersion", version)) }
        case .watch(let version):
            query = [
                ("watch", "true"), ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", "\(timeoutSeconds)"), ("resourceVersion", version),
            ]
        case .probe: return path + "?limit=1"
        case .list(let version, let limit, let continueToken):
            if let continueToken {
                // With a token the server forbids any version.
                query.append(("continue", continueToken))
            } else {
                switch version {
                case .any: query.append(("resourceVersion", "0"))
                case .notOlderThan(let version):
                    query += [
                        ("resourceVersion", version), ("resourceVersionMatch", "NotOlderThan"),
                    ]
                case .exactly(let version):
                    query += [
                        ("resourceVersion", version), ("resourceVersionMatch", "Exact"),
                    ]
                case .mostRecent: break
                }
            }
            if limit > 0 { query.append(("limit", "\(limit)")) }
        }
        if !selector.labels.isEmpty { query.append(("labelSelector", selector.labels)) }
        if !selector.fields.isEmpty { query.append(("fieldSelector", selector.fields)) }
        if let shard = selector.shard, asksForShard {
            query.append(("shardSelector", shard.selector))
        }
        return path + PercentEncoding.query(query)
    }
}
