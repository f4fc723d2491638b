/// One object of the API, whole: what this library does not know of it is kept.
public struct KubeObject: Sendable, Hashable {
    /// The object as JSON.
    public var json: JSONValue

    /// An object as it came.
    public init(_ json: JSONValue) { self.json = json }

    /// A new object of a type.
    public init(_ type: ResourceType, name: String) {
        json = [
            "apiVersion": .string(type.apiVersion), "kind": .string(type.kind),
            "metadata": ["name": .string(name)],
        ]
    }

    /// `metadata.name`; "" where it is missing.
    public var name: String { text("name") }
    /// `metadata.namespace`; "" where there is none.
    public var namespace: String { text("namespace") }
    /// `metadata.uid`; "" where it is missing.
    public var uid: String { text("uid") }
    /// `metadata.resourceVersion`, an opaque string; "" where it is missing.
    public var resourceVersion: String { text("resourceVersion") }

    private func text(_ key: String) -> String { json["metadata", key]?.string ?? "" }

    /// `metadata.annotations`.
    public var annotations: [String: String] {
        get { texts("annotations") }
        set { json["metadata", "annotations"] = .object(newValue.mapValues { .string($0) }) }
    }

    /// `metadata.labels`.
    public var labels: [String: String] {
        get { texts("labels") }
        set { json["metadata", "labels"] = .object(newValue.mapValues { .string($0) }) }
    }

    private func texts(_ key: String) -> [String: String] {
        (json["metadata", key]?.object ?? [:]).compactMapValues(\.string)
    }
}

extension KubeObject: Codable {
    /// Reads an object, all of it.
    public init(from decoder: any Decoder) throws { json = try JSONValue(from: decoder) }

    /// Writes the object, all of it.
    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

/// Some objects of a type, at one resourceVersion.
public struct KubeObjectList: Sendable, Hashable {
    /// The objects, in the server's order.
    public var items: [KubeObject]
    /// Of the list, for a watch to begin at.
    public var resourceVersion: String
    /// What to ask the next page with; nil on the last.
    public var continueToken: String?
    /// How many are still to come, if the server says so.
    public var remainingItemCount: Int?
}
