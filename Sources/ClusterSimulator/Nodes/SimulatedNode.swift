import ObjectEncoding

/// One node at one resourceVersion. Immutable: a change makes another one.
///
/// Only what differs from node to node is kept; the rest is made by its profile when it is encoded.
public final class SimulatedNode: Versioned {
    struct Values: Sendable {
        var name: String
        var uid: String
        var resourceVersion: Int
        /// Seconds since 1970.
        var created: Int
        var heartbeat: Int
        /// Which of the cluster's nodes it is; its addresses and the like follow from it.
        var ordinal: Int
        var pool: String
        var bootID: String
        /// Where its kubelet listens on this machine; nil: nowhere.
        var kubeletPort: Int?
        /// Numbers of the catalog, in the order reported; nil where the list is missing.
        var images: [Int]?
        var hasDiskPressure = false
        /// As a node-problem-detector counts them, where there is one.
        var hasFrequentRestarts = false
        var isUnschedulable = false
        /// The whole node, once somebody wrote to it through the API.
        var document: JSONValue?
    }

    let values: Values

    init(_ values: Values) { self.values = values }

    /// `metadata.name`.
    public var name: String { values.name }
    /// `metadata.uid`.
    public var uid: String { values.uid }
    /// `metadata.resourceVersion`.
    public var resourceVersion: Int { values.resourceVersion }

    /// Where its kubelet says it is.
    var kubelet: (address: String, port: Int) {
        guard let port = values.kubeletPort else {
            return (NodeProfile.address(values.ordinal), 10250)
        }
        return ("127.0.0.1", port)
    }

    /// The whole node, where somebody wrote to it, as it is at this version.
    var document: JSONValue? {
        guard var document = values.document else { return nil }
        document["metadata", "resourceVersion"] = .string("\(resourceVersion)")
        return document
    }

    func with(_ change: (inout Values) -> Void) -> SimulatedNode {
        var copy = values
        change(&copy)
        return SimulatedNode(copy)
    }
}

extension [Int] {
    /// Catalog numbers in the order in which a kubelet reports them: the largest first.
    func sortedLikeKubelet(_ catalog: [ImageCatalog.Image]) -> [Int] {
        sorted { (catalog[$0].sizeBytes, $0) > (catalog[$1].sizeBytes, $1) }
    }
}
