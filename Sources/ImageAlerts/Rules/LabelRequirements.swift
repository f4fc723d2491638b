/// A label selector in kubectl's form: "pool=gpu,zone in (a,b),!spot".
public struct LabelRequirements: Sendable, Hashable {
    /// What is wrong with a selector's text.
    public struct Invalid: Error, Hashable {
        /// For people.
        public var message: String
    }

    private enum Test: Sendable, Hashable {
        case isOneOf(Set<String>)
        case isNoneOf(Set<String>)
        case exists
        case isAbsent
    }

    private var tests: [(key: String, test: Test)] = []

    /// The keys it looks at.
    public var keys: [String] { tests.map(\.key) }

    /// Reads a selector.
    public init(_ text: String) throws(Invalid) {
        for part in Self.parts(text) {
            tests.append(try Self.test(Self.trimmed(part)))
        }
        if tests.isEmpty { throw Invalid(message: "the selector is empty") }
    }

    /// Whether labels, looked up by key, are what is asked for.
    public func matches(_ label: (String) -> String?) -> Bool {
        tests.allSatisfy { key, test in
            let value = label(key)
            return switch test {
            case .isOneOf(let values): value.map(values.contains) ?? false
            // As kubectl: a node without the label is none of them.
            case .isNoneOf(let values): !(value.map(values.contains) ?? false)
            case .exists: value != nil
            case .isAbsent: value == nil
            }
        }
    }

    /// At commas that are not in parentheses.
    private static func parts(_ text: String) -> [Substring] {
        var depth = 0
        return text.split(omittingEmptySubsequences: false) { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return character == "," && depth == 0
        }
    }

    private static func test(_ text: Substring) throws(Invalid) -> (String, Test) {
        func key(_ part: Substring) throws(Invalid) -> String {
            let key = String(trimmed(part))
            let isFine =
                !key.isEmpty
                && key.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_./".utf8.contains($0) }
            guard isFine else { throw Invalid(message: "\"\(text)\" is no requirement on a label") }
            return key
        }
        if text.hasPrefix("!") { return (try key(text.dropFirst()), .isAbsent) }
        for (sign, isEqual) in [("!=", false), ("==", true), ("=", true)] {
            if let range = text.firstRange(of: sign) {
                let values: Set = [String(trimmed(text[range.upperBound...]))]
                return (
                    try key(text[..<range.lowerBound]),
                    isEqual ? .isOneOf(values) : .isNoneOf(values)
                )
            }
        }
        if text.hasSuffix(")"), let open = text.firstIndex(of: "(") {
            let words = text[..<open].split(separator: " ")
            let values = Set(
                text[text.index(after: open)...].dropLast().split(separator: ",")
                    .map { String(trimmed($0)) })
            guard words.count == 2, ["in", "notin"].contains(words[1]), !values.isEmpty else {
                throw Invalid(message: "\"\(text)\" is no requirement; try \"key in (a,b)\"")
            }
            return (
                try key(words[0]), words[1] == "in" ? .isOneOf(values) : .isNoneOf(values)
            )
        }
        return (try key(text), .exists)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " }
        return start[
            ..<(start.lastIndex { $0 != " " }.map(start.index(after:)) ?? start.startIndex)]
    }

    /// See `Equatable`.
    public static func == (left: Self, right: Self) -> Bool {
        left.tests.elementsEqual(right.tests) { $0 == $1 }
    }

    /// See `Hashable`.
    public func hash(into hasher: inout Hasher) {
        for (key, test) in tests {
            hasher.combine(key)
            hasher.combine(test)
        }
    }
}
