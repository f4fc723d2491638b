package import KubeClient

/// What is wrong at one place of a rule file, and the way out.
public struct RuleProblem: Error, Sendable, Hashable {
    /// From 1.
    public var line: Int
    /// From 1, in characters.
    public var column: Int
    /// For people: what is wrong, and what would be right.
    public var message: String

    /// Of a text that is no YAML.
    init(_ fault: YAML.Malformed) {
        let hint =
            switch fault.message {
            case "found character that cannot start any token":
                "; YAML is indented with spaces, not tabs"
            case "found unexpected end of stream": "; a quotation mark is missing"
            case "did not find expected '-' indicator":
                "; the line is indented otherwise than those before"
            case "more than one document": "; put all rules in one list"
            case "anchors and aliases are not supported": "; write it out"
            default: ""
            }
        self.init(fault.place, "no YAML: \(fault.message)\(hint)")
    }

    init(_ place: YAML.Place, _ message: String) {
        line = place.line
        column = place.column
        self.message = message
    }
}

/// A mapping's fields, read one by one by their kinds. What is wrong is collected, so that all of it can
/// be told at once; a value that cannot be used counts as absent.
package struct RuleFields {
    /// "rule \"nearly-full\"".
    let owner: String
    let place: YAML.Place
    private let pairs: [(key: String, value: YAML)]
    private var known: [String] = []
    private var misplacedKeys: [String] = []
    package private(set) var problems: [RuleProblem] = []

    package init(_ node: YAML, owner: String) {
        self.owner = owner
        place = node.place
        pairs = node.pairs ?? []
        if node.pairs == nil {
            problems.append(RuleProblem(node.place, "\(owner) must be a mapping of keys to values"))
        }
        var seen: Set<String> = []
        for (key, value) in pairs where !seen.insert(key).inserted {
            problems.append(
                RuleProblem(value.keyPlace ?? value.place, "\(owner) has \"\(key)\" twice"))
        }
    }

    /// No fields, but complaints of what should be a list.
    init(list: YAML, owner: String) {
        self.owner = owner
        place = list.place
        pairs = []
        if list.elements == nil {
            problems.append(RuleProblem(list.place, "\(owner) must be a list"))
        }
    }

    package mutating func complain(_ message: String, at place: YAML.Place? = nil) {
        problems.append(RuleProblem(place ?? self.place, message))
    }

    package mutating func take(over problems: [RuleProblem]) { self.problems += problems }

    /// A field as it is; null counts as absent.
    package mutating func value(_ key: String) -> YAML? {
        known.append(key)
        return pairs.first { $0.key == key }.flatMap { $0.value.isNull ? nil : $0.value }
    }

    /// A field that has no place there: it is not among those that there are.
    mutating func misplaced(_ key: String) -> YAML? {
        guard let pair = pairs.first(where: { $0.key == key }) else { return nil }
        misplacedKeys.append(key)
        return pair.value
    }

    /// A field read by `read`; `what` says what it should be.
    package mutating func field<Value>(
        _ key: String, _ what: String, _ read: (YAML) -> Value?
    ) -> Value? {
        guard let value = value(key) else { return nil }
        if let result = read(value) { return result }
        let given = value.string.map { "\"\($0)\" is" } ?? "that is"
        complain("\"\(key)\" of \(owner): \(given) no \(what)", at: value.place)
        return nil
    }

    /// The same, where it must be there.
    mutating func required<Value>(
        _ key: String, _ what: String, _ read: (YAML) -> Value?
    ) -> Value? {
        if value(key) == nil {
            complain("\(owner) lacks \"\(key)\": a \(what)")
            return nil
        }
        known.removeLast()
        return field(key, what, read)
    }

    mutating func string(_ key: String) -> String? { field(key, "text") { $0.string } }

    mutating func duration(_ key: String) -> Duration? {
        field(key, Self.durationText, Self.duration)
    }

    mutating func severity(_ key: String) -> Rule.Severity? {
        let known = Rule.Severity.allCases.map(\.rawValue).joined(separator: ", ")
        return field(key, "severity; there are \(known)") {
            $0.string.flatMap(Rule.Severity.init)
        }
    }

    /// The name of a rule or a sink.
    mutating func name() -> String? {
        required("name", "name of letters, digits, - and _") { value in
            value.string.flatMap { Self.isName($0) ? $0 : nil }
        }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 63
            && text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_".utf8.contains($0) }
    }

    /// Complains of what bears the name of another before it.
    mutating func claim(_ name: String, of kind: String, _ node: YAML, in names: inout Set<String>)
    {
        if !names.insert(name).inserted {
            complain(
                "there is another \(kind) \"\(name)\" before; names must differ",
                at: node["name"]?.place)
        }
    }

    /// Texts: a list, or one by itself.
    mutating func strings(_ key: String) -> [String]? {
        field(key, "text or list of texts") { value in
            if let text = value.string { return [text] }
            guard let elements = value.elements, !elements.isEmpty else { return nil }
            let texts = elements.compactMap(\.string)
            return texts.count == elements.count ? texts : nil
        }
    }

    static let durationText = "time such as 90s, 10m or 1h30m"
    static let bytesText = "size such as 10GiB or 500MB"
    static let amountText = "size such as 10GiB, or share such as 85%"

    static func duration(_ value: YAML) -> Duration? { value.string.flatMap(DurationText.parse) }

    static func bytes(_ value: YAML) -> Int? { value.string.flatMap(ByteText.parse) }

    static func percent(_ value: YAML) -> Double? {
        guard let text = value.string, text.hasSuffix("%"),
            let number = Double(text.dropLast()), number >= 0, number <= 1000
        else { return nil }
        return number
    }

    static func amount(_ value: YAML) -> Rule.Amount? {
        // A number by itself could be meant as either.
        if value.string.flatMap(Double.init) != nil { return nil }
        return percent(value).map { .percent($0) } ?? bytes(value).map { .bytes($0) }
    }

    static func positive(_ value: YAML) -> Int? {
        value.string.flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil }
    }

    /// Says that there may be such fields.
    mutating func allow(_ keys: [String]) { known += keys }

    /// Complains of fields that nobody asked for. To be called last.
    package mutating func finish() {
        for (key, value) in pairs where !known.contains(key) && !misplacedKeys.contains(key) {
            let hint = Suggestion.text(for: key, among: known)
            complain(
                "\(owner) has no \"\(key)\"\(hint)", at: value.keyPlace ?? value.place)
        }
    }
}

/// What somebody may have meant.
package enum Suggestion {
    /// "; did you mean \"above\"?", or which there are.
    package static func text(for word: String, among known: [String]) -> String {
        let best = known.map { ($0, distance(Array(word.utf8), Array($0.utf8))) }
            .min { $0.1 < $1.1 }
        if let best, best.1 <= max(2, word.utf8.count / 3) {
            return "; did you mean \"\(best.0)\"?"
        }
        return "; there are \(known.joined(separator: ", "))"
    }

    /// How many letters must be put in, taken out or changed.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.prefix(64).enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(diagonal + (a == b ? 0 : 1), above + 1, row[j] + 1)
                diagonal = above
            }
        }
        return row[right.count]
    }
}

extension UInt8 {
    /// A letter or digit of ASCII.
    var isASCIIAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
