/// A type of object in the API.
public struct ResourceType: Sendable, Hashable {
    /// "" for the core group.
    public var group: String
    /// "v1".
    public var version: String
    /// "nodes".
    public var plural: String
    /// "Node".
    public var kind: String
    /// Whether its objects live in namespaces.
    public var isNamespaced: Bool

    /// Any type.
    public init(
        group: String = "", version: String = "v1", plural: String, kind: String, isNamespaced: Bool
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// Nodes.
    public static let nodes = ResourceType(plural: "nodes", kind: "Node", isNamespaced: false)
    /// Leases, on which leaders are elected.
    public static let leases = ResourceType(
        group: "coordination.k8s.io", plural: "leases", kind: "Lease", isNamespaced: true)
    /// Events, in the form that carries all that `kubectl describe` shows.
    public static let events = ResourceType(
        group: "events.k8s.io", plural: "events", kind: "Event", isNamespaced: true)

    /// "v1", "coordination.k8s.io/v1".
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// As kubectl and errors name it: "leases.coordination.k8s.io".
    public var qualifiedName: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// The path of its objects, of one of them, or of a part of one.
    package func path(
        namespace: String, name: String? = nil, subresource: String? = nil
    ) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if isNamespaced, !namespace.isEmpty {
            path += "/namespaces/" + PercentEncoding.encoded(namespace)
        }
        path += "/" + plural
        if let name { path += "/" + PercentEncoding.encoded(name) }
        if let subresource { path += "/" + subresource }
        return path
    }
}

/// Text in paths and queries (RFC 3986, section 2).
package enum PercentEncoding {
    /// All but unreserved characters in percent.
    package static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    /// A query with its question mark; "" where there are no pairs.
    package static func query(_ pairs: [(String, String)]) -> String {
        if pairs.isEmpty { return "" }
        return "?" + pairs.map { "\($0.0)=\(encoded($0.1))" }.joined(separator: "&")
    }
}
