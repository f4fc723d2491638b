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
    func json(_ indent: String = "") -> String {
        let inner = indent + "    "
        switch self {
        case .array(let values) where !values.isEmpty:
            let lines = values.map { inner + $0.json(inner) }
            return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let pairs) where !pairs.isEmpty:
            let lines = pairs.map { "\(inner)\(JSONString.quoted($0.0)): \($0.1.json(inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        default: return scalar
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

/// Rows in columns, as wide as their widest cell.
struct TextTable {
    struct Column {
        var title: String
        var isNumber = false
    }

    var columns: [Column]
    var rows: [[String]] = []

    var text: String {
        let widths = columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1[index].count) }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                let space = String(repeating: " ", count: widths[index] - cell.count)
                if columns[index].isNumber { return space + cell }
                return index == cells.count - 1 ? cell : cell + space
            }
            return padded.joined(separator: "   ")
        }
        return ([columns.map(\.title)] + rows).map(line).joined(separator: "\n")
    }

    /// RFC 4180.
    var csv: String {
        func line(_ cells: [String]) -> String {
            cells.map { cell in
                cell.contains { "\",\n\r".contains($0) }
                    ? "\""
                        + cell.split(separator: "\"", omittingEmptySubsequences: false)
                        .joined(separator: "\"\"") + "\"" : cell
            }.joined(separator: ",")
        }
        return ([columns.map(\.title)] + rows).map(line).joined(separator: "\n")
    }
}
