import ObjectEncoding

/// The two forms of one event: v1, in which it is kept, and events.k8s.io/v1.
enum EventForms {
    private static let names = [
        ("involvedObject", "regarding"), ("message", "note"),
        ("reportingComponent", "reportingController"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
    ]

    /// An event with the members that are always shown, in the form in which it is kept.
    static func complete(_ event: JSONValue) -> JSONValue {
        var event = event
        let defaults: [(String, JSONValue)] = [
            ("source", [:]), ("firstTimestamp", .null), ("lastTimestamp", .null),
            ("eventTime", .null), ("reportingComponent", ""), ("reportingInstance", ""),
        ]
        for (key, value) in defaults where event[key] == nil { event[key] = value }
        return event
    }

    /// An object as a resource keeps it.
    static func stored(_ object: JSONValue, of kind: ResourceKind) -> JSONValue {
        kind == .newEvents ? core(object) : object
    }

    /// An object as a resource shows it.
    static func shown(_ object: JSONValue, of kind: ResourceKind) -> JSONValue {
        kind == .newEvents ? new(object) : object
    }

    private static func core(_ event: JSONValue) -> JSONValue {
        renamed(event, to: "v1", Dictionary(uniqueKeysWithValues: names.map { ($0.1, $0.0) }))
    }

    private static func new(_ event: JSONValue) -> JSONValue {
        renamed(event, to: "events.k8s.io/v1", Dictionary(uniqueKeysWithValues: names))
    }

    private static func renamed(
        _ event: JSONValue, to version: String, _ names: [String: String]
    ) -> JSONValue {
        guard case .object(let object) = event else { return event }
        var result = JSONObject(object.pairs.map { (names[$0.key] ?? $0.key, $0.value) })
        if result["apiVersion"] != nil { result["apiVersion"] = .string(version) }
        return .object(result)
    }
}
