import ObjectEncoding

/// How the lists of an object merge: by path, as the API's Go types and its OpenAPI say.
enum ListRule: Sendable, Equatable {
    /// The whole list is one value.
    case atomic
    /// Entries are told apart by these of their fields.
    case keyed([String])
    /// Entries are plain values without an order.
    case set
}

/// The list rules of all objects the simulator keeps. A strategic merge patch follows the Go types'
/// `patchMergeKey`, server-side apply the OpenAPI's `x-kubernetes-list-type`; they differ.
enum ListRules {
    static func strategic(_ kind: String, _ path: [String]) -> ListRule {
        switch (kind, path.joined(separator: ".")) {
        case ("Node", "spec.taints"): .keyed(["key"])
        case ("Service", "spec.ports"): .keyed(["port"])
        default: common(kind, path)
        }
    }

    static func apply(_ kind: String, _ path: [String]) -> ListRule {
        switch (kind, path.joined(separator: ".")) {
        case ("Service", "spec.ports"): .keyed(["port", "protocol"])
        default: common(kind, path)
        }
    }

    private static func common(_ kind: String, _ path: [String]) -> ListRule {
        switch (kind, path.joined(separator: ".")) {
        case (_, "metadata.finalizers"): .set
        case (_, "metadata.ownerReferences"): .keyed(["uid"])
        case (_, "status.conditions"): .keyed(["type"])
        case ("Node", "status.addresses"): .keyed(["type"])
        case ("Node", "spec.podCIDRs"): .set
        default: .atomic
        }
    }
}

extension JSONValue {
    /// Whether two list entries are the same by the rule's fields.
    func isSameEntry(_ other: JSONValue, _ keys: [String]) -> Bool {
        keys.allSatisfy { self[$0] == other[$0] }
    }
}
