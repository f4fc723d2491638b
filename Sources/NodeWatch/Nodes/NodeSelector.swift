import KubeClient

/// Which nodes to watch. The server does the selecting.
public struct NodeSelector: Sendable, Hashable {
    /// As kubectl's `--selector`: "pool=gpu,zone in (a,b)". Empty: all.
    public var labels: String
    /// As kubectl's `--field-selector`: "metadata.name=n", "spec.unschedulable=true". Empty: all.
    public var fields: String

    /// Makes a selector from label and field selectors.
    public init(labels: String = "", fields: String = "") {
        self.labels = labels
        self.fields = fields
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
    func target(_ path: String, _ selector: NodeSelector, timeoutSeconds: Int) -> String {
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
                case .mostRecent: break
                }
            }
            if limit > 0 { query.append(("limit", "\(limit)")) }
        }
        if !selector.labels.isEmpty { query.append(("labelSelector", selector.labels)) }
        if !selector.fields.isEmpty { query.append(("fieldSelector", selector.fields)) }
        return path + PercentEncoding.query(query)
    }
}
