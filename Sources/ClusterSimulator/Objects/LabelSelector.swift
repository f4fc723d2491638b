/// A selector that cannot be read: 400.
struct InvalidSelector: Error {
    var message: String
    /// An API server blames itself for it: 500 instead of 400.
    var isInternal = false

    var status: StatusBody {
        isInternal ? StatusBody(code: 500, message: message) : .badRequest(message)
    }
}

/// `labelSelector` of a request.
struct LabelSelector: Sendable {
    private enum Requirement: Sendable {
        case isIn(String, Set<String>)
        case isNotIn(String, Set<String>)
        case exists(String)
        case isMissing(String)
    }

    private var requirements: [Requirement] = []

    var selectsAll: Bool { requirements.isEmpty }

    init(_ text: String) throws(InvalidSelector) {
        for part in Self.split(text) { requirements.append(try Self.requirement(part)) }
    }

    func matches(_ labels: [(String, String)]) -> Bool {
        let pairs = Dictionary(labels) { first, _ in first }
        return requirements.allSatisfy { requirement in
            switch requirement {
            case .isIn(let key, let values): pairs[key].map { values.contains($0) } ?? false
            case .isNotIn(let key, let values): pairs[key].map { !values.contains($0) } ?? true
            case .exists(let key): pairs[key] != nil
            case .isMissing(let key): pairs[key] == nil
            }
        }
    }

    /// Splits at commas outside parentheses.
    static func split(_ text: String) -> [String] {
        var parts: [String] = [""]
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.map(trimmed).filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// `key=value`, `key==value` or `key!=value`.
    static func comparison(_ text: String) -> (String, Bool, String)? {
        guard let sign = text.firstIndex(of: "=") else { return nil }
        var key = text[..<sign]
        var value = text[text.index(after: sign)...]
        let isEqual = key.last != "!"
        if !isEqual { key = key.dropLast() }
        if value.first == "=" { value = value.dropFirst() }
        return (trimmed(key), isEqual, trimmed(value))
    }

    private static func requirement(_ text: String) throws(InvalidSelector) -> Requirement {
        if let (key, isEqual, value) = comparison(text) {
            return isEqual ? .isIn(key, [value]) : .isNotIn(key, [value])
        }
        if text.hasPrefix("!") { return .isMissing(trimmed(text.dropFirst())) }
        let words = text.split(separator: " ", maxSplits: 2).map(String.init)
        if words.count == 1 { return .exists(words[0]) }
        guard words.count == 3, words[1] == "in" || words[1] == "notin",
            words[2].hasPrefix("("), words[2].hasSuffix(")")
        else { throw InvalidSelector(message: "unable to parse requirement: \(text)") }
        let values = Set(words[2].dropFirst().dropLast().split(separator: ",").map(trimmed))
        return words[1] == "in" ? .isIn(words[0], values) : .isNotIn(words[0], values)
    }
}
