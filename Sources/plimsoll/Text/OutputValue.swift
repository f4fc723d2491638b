import KubeClient

/// A value to be written as JSON or YAML, keys in the order given.
enum OutputValue {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([OutputValue])
    case object([(String, OutputValue)])

    static func optional(_ text: String?) -> OutputValue { text.map { .string($0) } ?? .null }
    static func optional(_ number: Int?) -> OutputValue { number.map { .int($0) } ?? .null }
    static func optional(_ number: Double?) -> OutputValue { number.map { .double($0) } ?? .null }

    /// JSON, indented as kubectl does it.
    func json() -> String {
        var text = ""
        append(to: &text, indent: "\n")
        return text
    }

    /// Into one string: a cluster's images are tens of megabytes, and each level would copy them.
    private func append(to text: inout String, indent: String) {
        let inner = indent + "    "
        switch self {
        case .array(let values) where !values.isEmpty:
            text += "["
            for (index, value) in values.enumerated() {
                text += index == 0 ? inner : "," + inner
                value.append(to: &text, indent: inner)
            }
            text += indent + "]"
        case .object(let pairs) where !pairs.isEmpty:
            text += "{"
            for (index, (key, value)) in pairs.enumerated() {
                text += index == 0 ? inner : "," + inner
                text += JSONString.quoted(key) + ": "
                value.append(to: &text, indent: inner)
            }
            text += indent + "}"
        default: text += scalar
        }
    }

    /// JSON on one line.
    var jsonLine: String {
        switch self {
        case .array(let values): "[" + values.map(\.jsonLine).joined(separator: ",") + "]"
        case .object(let pairs):
            "{"
                + pairs.map { "\(JSONString.quoted($0.0)):\($0.1.jsonLine)" }.joined(separator: ",")
                + "}"
        default: scalar
        }
    }

    /// YAML in block style.
    func yaml(_ indent: String = "") -> String {
        switch self {
        case .array(let values) where !values.isEmpty:
            return values.map { "\(indent)- \($0.nested(indent + "  "))" }.joined()
        case .object(let pairs) where !pairs.isEmpty:
            return pairs.map { key, value in
                switch value {
                case .array(let values) where !values.isEmpty:
                    return "\(indent)\(key):\n" + value.yaml(indent)
                case .object(let pairs) where !pairs.isEmpty:
                    return "\(indent)\(key):\n" + value.yaml(indent + "  ")
                default: return "\(indent)\(key): \(value.scalar)\n"
                }
            }.joined()
        default: return indent + scalar + "\n"
        }
    }

    /// An element of a list: its first line goes after the dash.
    private func nested(_ indent: String) -> String {
        String(yaml(indent).dropFirst(indent.count))
    }

    private var scalar: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        // A JSON string is a YAML string.
        case .string(let text): JSONString.quoted(text)
        case .array: "[]"
        case .object: "{}"
        }
    }
}
