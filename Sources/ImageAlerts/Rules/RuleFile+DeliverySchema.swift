import KubeClient

extension RuleFile {
    /// Of what becomes of alerts: the file's other keys.
    static var deliverySchema: [String: JSONValue] {
        [
            "grouping": closed([
                "wait": duration("The first of a kind waits for others; 30s."),
                "interval": duration("Those after it wait longer; 5m."),
            ]),
            "silences": list(
                closed(
                    [
                        "rules": texts("Patterns of rules' names."),
                        "nodes": texts("Patterns of nodes' names."),
                        "pools": texts("Patterns of node pools."),
                        "severities": severities, "from": moment, "until": moment,
                        "comment": ["type": "string"],
                    ], required: ["until"])),
            "sinks": list(
                .object([
                    "oneOf": .array(
                        SinkReader.kinds.map { .object(["$ref": .string("#/$defs/sink-\($0)")]) })
                ])),
        ]
    }

    /// Of each type of sink.
    static var sinkSchemas: [String: JSONValue] {
        Dictionary(uniqueKeysWithValues: SinkReader.kinds.map { ("sink-\($0)", sink($0)) })
    }

    private static func sink(_ kind: String) -> JSONValue {
        var properties: [String: JSONValue] = [
            "name": text("^[A-Za-z0-9_-]{1,63}$", "Unique among the sinks."),
            "type": ["const": .string(kind)],
            "min_severity": ["enum": .array(Rule.Severity.allCases.map { .string($0.rawValue) })],
            "rules": texts("Patterns of rules' names."), "send_resolved": ["type": "boolean"],
            "timeout": duration("Of one attempt, from 1s to 2m; 15s."),
            "per_minute": positive("Messages, in the long run; 60."),
        ]
        var required = ["name", "type"]
        switch kind {
        case "alertmanager":
            properties["urls"] = ["anyOf": .array([address, list(address)])]
            required.append("urls")
        case "slack", "teams":
            properties["url"] = secret
            required.append("url")
        case "pagerduty":
            properties["url"] = address
            properties["routing_key"] = secret
            required.append("routing_key")
        case "webhook":
            properties["url"] = address
            properties["secret"] = ["anyOf": .array([secret, list(secret)])]
            properties["body"] = ["enum": .array(["plimsoll", "cloudevents"])]
            required.append("url")
        default: return closed(properties, required: required)
        }
        properties["proxy"] = text("^(https?|socks5h?)://", "A proxy.")
        properties["bearer_token"] = secret
        properties["basic_auth"] = closed(
            ["username": ["type": "string"], "password": secret],
            required: ["username", "password"])
        properties["tls"] = closed([
            "ca_file": ["type": "string"], "cert_file": ["type": "string"],
            "key_file": ["type": "string"], "server_name": ["type": "string"],
            "insecure_skip_verify": ["type": "boolean"],
        ])
        return closed(properties, required: required)
    }

    // MARK: Parts

    private static func closed(
        _ properties: [String: JSONValue], required: [String] = []
    ) -> JSONValue {
        [
            "type": "object", "additionalProperties": false,
            "properties": .object(properties),
            "required": .array(required.map { .string($0) }),
        ]
    }

    private static func list(_ items: JSONValue) -> JSONValue {
        ["type": "array", "items": items]
    }

    /// A file or a variable of the environment.
    private static var secret: JSONValue {
        [
            "type": "object", "additionalProperties": false, "minProperties": .integer(1),
            "maxProperties": .integer(1), "description": "{file: PATH} or {env: NAME}",
            "properties": ["file": ["type": "string"], "env": ["type": "string"]],
        ]
    }

    private static var address: JSONValue {
        ["anyOf": .array([text("^https?://", "An address."), secret])]
    }

    private static var severities: JSONValue {
        let one: JSONValue = ["enum": .array(Rule.Severity.allCases.map { .string($0.rawValue) })]
        return ["anyOf": .array([one, list(one)])]
    }

    private static var moment: JSONValue {
        text("^[0-9]{4}-[0-9]{2}-[0-9]{2}T", "A time such as 2026-12-24T18:00:00Z.")
    }
}
