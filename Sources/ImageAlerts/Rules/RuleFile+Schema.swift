import FoundationEssentials
package import KubeClient

extension RuleFile {
    /// The JSON Schema (draft 2020-12) of rule files, indented. It knows the fields of each type; what
    /// cannot be said in it, such as unique names, ``init(path:)`` says.
    public static var schema: String { schema(with: [:]) }

    /// The same of files that may have another part instead of rules.
    package static func schema(with section: [String: JSONValue]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        // Of texts alone: it cannot fail.
        return String(decoding: (try? encoder.encode(document(section))) ?? Data(), as: UTF8.self)
    }

    private static func document(_ section: [String: JSONValue]) -> JSONValue {
        let needed: [JSONValue] = (["rules"] + section.keys.sorted()).map { key in
            ["required": .array([.string(key)])]
        }
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Plimsoll rules", "type": "object", "additionalProperties": false,
            "anyOf": .array(needed),
            "properties": .object(
                deliverySchema.merging(rulesSchema) { $1 }.merging(section) { $1 }),
            "$defs": .object(
                Dictionary(
                    uniqueKeysWithValues: RuleReader.kinds.map { ($0, rule($0)) }
                ).merging(sinkSchemas) { $1 }),
        ]
    }

    private static var rulesSchema: [String: JSONValue] {
        [
            "version": ["enum": .array([.integer(1), "1"])],
            "rules": [
                "type": "array", "minItems": .integer(1),
                "items": [
                    "oneOf": .array(
                        RuleReader.kinds.map { .object(["$ref": .string("#/$defs/\($0)")]) })
                ],
            ],
        ]
    }

    private static func rule(_ kind: String) -> JSONValue {
        let (fields, required) = fields(of: kind)
        var properties: [String: JSONValue] = [
            "name": text("^[A-Za-z0-9_-]{1,63}$", "Unique in the file."),
            "type": ["const": .string(kind)],
            "severity": ["enum": .array(Rule.Severity.allCases.map { .string($0.rawValue) })],
            "labels": [
                "type": "object", "description": "Added to its alerts' labels.",
                "additionalProperties": ["type": "string"],
            ],
            "runbook_url": text("^https?://", "What to do about it."),
        ]
        if kind != "stream-stale" { properties["nodes"] = scope }
        if ["storage-changed", "image-appeared", "image-removed", "big-image", "sudden-drop"]
            .contains(kind)
        {
            properties["cooldown"] = duration("Not told again of the same node within this time.")
        } else {
            properties["for"] = duration("It must be true for so long before it fires.")
            properties["keep_firing_for"] = duration(
                "It goes on firing for so long after it ended.")
        }
        properties.merge(fields) { $1 }
        return [
            "type": "object", "additionalProperties": false,
            "required": .array((["name", "type"] + required).map { .string($0) }),
            "properties": .object(properties),
        ]
    }

    private static func fields(of kind: String) -> ([String: JSONValue], required: [String]) {
        switch kind {
        case "storage-changed":
            (
                ["classifications": classifications, "min": bytes("The total must move so much.")],
                []
            )
        case "delta":
            (
                [
                    "over": amount("The reported total moved so much, either way."),
                    "window": duration("Within this time; 5m."),
                ], ["over"]
            )
        case "high":
            (
                [
                    "above": amount("From here on a node is full; 85%."),
                    "clear": amount("Below this it is not any more; 5 less."),
                    "of": ["enum": .array(Rule.Basis.allCases.map { .string($0.rawValue) })],
                ], []
            )
        case "churn":
            (
                [
                    "over": amount("So much came and went; a share is of the node's capacity."),
                    "changes": positive("So many changes happened."),
                    "window": duration("Within this time; 24h."),
                ], []
            )
        case "image-appeared", "image-removed":
            (["images": images, "except": images], [])
        case "image-spread":
            (
                [
                    "images": images, "except": images,
                    "at_least": count("On so many nodes, or more."),
                    "fewer_than": count("On fewer nodes than that."),
                ], []
            )
        case "big-image": (["over": bytes("An image came that is so large.")], ["over"])
        case "sudden-drop":
            (
                [
                    "over": amount("The reported total fell so much in one change; 25%."),
                    "classifications": classifications,
                ], []
            )
        case "duplicate-versions":
            (["at_least": positive("So many versions of one repository; 3.")], [])
        case "node-silent", "stream-stale":
            (["after": duration("Nothing came for so long.")], [])
        default: ([:], [])
        }
    }

    // MARK: Parts

    private static let sizeWithUnit = #"[0-9]+(\.[0-9]+)? ?([KMGT]iB?|[KMGT]B|kB|B)"#

    static func text(_ pattern: String, _ description: String) -> JSONValue {
        [
            "type": "string", "pattern": .string(pattern), "description": .string(description),
        ]
    }

    static func duration(_ description: String) -> JSONValue {
        text(#"^(0|([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+)$"#, description)
    }

    private static func bytes(_ description: String) -> JSONValue {
        [
            "type": .array(["string", "integer"]), "pattern": .string("^([0-9]+|\(sizeWithUnit))$"),
            "minimum": .integer(0), "description": .string(description),
        ]
    }

    private static func amount(_ description: String) -> JSONValue {
        text(#"^([0-9]+(\.[0-9]+)?%|\#(sizeWithUnit))$"#, description)
    }

    static func positive(_ description: String) -> JSONValue {
        [
            "type": .array(["string", "integer"]), "pattern": "^[1-9][0-9]*$",
            "minimum": .integer(1), "description": .string(description),
        ]
    }

    private static func count(_ description: String) -> JSONValue {
        [
            "type": .array(["string", "integer"]),
            "pattern": #"^([1-9][0-9]*|[0-9]+(\.[0-9]+)?%)$"#, "minimum": .integer(1),
            "description": .string(description),
        ]
    }

    static func texts(_ description: String) -> JSONValue {
        [
            "description": .string(description),
            "oneOf": .array([
                ["type": "string"],
                ["type": "array", "minItems": .integer(1), "items": ["type": "string"]],
            ]),
        ]
    }

    private static var images: JSONValue {
        texts("Names with * and ?, or sha256:… digests.")
    }

    private static var classifications: JSONValue {
        let names = ImageChange.Classification.allCases.map { JSONValue.string($0.rawValue) }
        return [
            "description": "What a change looks like.",
            "oneOf": .array([
                ["enum": .array(names)],
                ["type": "array", "minItems": .integer(1), "items": ["enum": .array(names)]],
            ]),
        ]
    }

    private static var scope: JSONValue {
        [
            "type": "object", "additionalProperties": false,
            "description": "Which nodes it looks at; all that is given must match.",
            "properties": [
                "names": texts("Patterns of names."),
                "pools": texts("Patterns of node pools."),
                "labels": ["type": "string", "description": "pool=gpu,zone in (a,b)"],
            ],
        ]
    }
}
