/// A JSON document as a client sent it: the order of keys and the text of numbers are kept.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// As written: 9007199254740993 stays what it is.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package static func number(_ value: Int) -> JSONValue { .number(String(value)) }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
    package var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }

    /// A member of an object. Setting nil removes it; setting in what is no object makes one of it.
    package subscript(key: String) -> JSONValue? {
        get { object?[key] }
        set {
            var object = object ?? JSONObject()
            object[key] = newValue
            self = .object(object)
        }
    }

    /// A member of a member.
    package subscript(outer: String, inner: String) -> JSONValue? {
        get { self[outer]?[inner] }
        set {
            if newValue == nil, self[outer] == nil { return }
            var member = self[outer] ?? .object(JSONObject())
            member[inner] = newValue
            self[outer] = member
        }
    }

    /// `metadata.labels` of an object.
    package var labels: [(String, String)] {
        (self["metadata", "labels"]?.object?.pairs ?? []).map { ($0.key, $0.value.string ?? "") }
    }

    package func append(to json: inout JSONText) {
        switch self {
        case .null: json.raw("null")
        case .bool(let value): json.raw(value ? "true" : "false")
        case .number(let text): json.raw(text)
        case .string(let text): json.string(text)
        case .array(let items):
            json.raw("[")
            for (index, item) in items.enumerated() {
                if index > 0 { json.raw(",") }
                item.append(to: &json)
            }
            json.raw("]")
        case .object(let object):
            json.raw("{")
            for (index, pair) in object.pairs.enumerated() {
                if index > 0 { json.raw(",") }
                json.string(pair.key)
                json.raw(":")
                pair.value.append(to: &json)
            }
            json.raw("}")
        }
    }

    package var bytes: [UInt8] {
        var json = JSONText()
        append(to: &json)
        return json.bytes
    }
}

/// Members in the order in which they came. Two objects are equal when their members are.
package struct JSONObject: Sendable {
    package private(set) var pairs: [(key: String, value: JSONValue)] = []

    package init() {}

    package init(_ pairs: [(String, JSONValue)]) {
        for (key, value) in pairs { self[key] = value }
    }

    package var keys: [String] { pairs.map(\.key) }
    package var isEmpty: Bool { pairs.isEmpty }

    package subscript(key: String) -> JSONValue? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let index = pairs.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): pairs[index].value = value
            case (let index?, nil): pairs.remove(at: index)
            case (nil, let value?): pairs.append((key, value))
            case (nil, nil): break
            }
        }
    }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.pairs.count == right.pairs.count
            && left.pairs.allSatisfy { right[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(pairs.count) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
    package init(stringLiteral value: String) { self = .string(value) }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

// MARK: Reading

extension JSONValue {
    /// What a kube-apiserver answers with 400.
    package struct Malformed: Error { package var message: String }

    package init(parsing bytes: [UInt8]) throws(Malformed) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    private static let maxDepth = 200

    let bytes: [UInt8]
    private var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONValue.Malformed) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard at == bytes.count else { throw malformed("text after the document") }
        return value
    }

    private func malformed(_ what: String) -> JSONValue.Malformed {
        JSONValue.Malformed(message: "\(what) at byte \(at)")
    }

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == UInt8(ascii: byte) else { return false }
        at += 1
        return true
    }

    private mutating func word(_ text: String) -> Bool {
        guard bytes[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func value(depth: Int) throws(JSONValue.Malformed) -> JSONValue {
        skipSpace()
        guard at < bytes.count else { throw malformed("unexpected end") }
        guard depth < Self.maxDepth else { throw malformed("nested too deeply") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        default: break
        }
        if word("null") { return .null }
        if word("true") { return .bool(true) }
        if word("false") { return .bool(false) }
        return try number()
    }

    private mutating func object(_ depth: Int) throws(JSONValue.Malformed) -> JSONValue {
        at += 1
        var object = JSONObject()
        if take("}") { return .object(object) }
        repeat {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
                throw malformed("a key is missing")
            }
            let key = try string()
            guard take(":") else { throw malformed("a colon is missing") }
            object[key] = try value(depth: depth + 1)
        } while take(",")
        guard take("}") else { throw malformed("an object does not end") }
        return .object(object)
    }

    private mutating func array(_ depth: Int) throws(JSONValue.Malformed) -> JSONValue {
        at += 1
        var items: [JSONValue] = []
        if take("]") { return .array(items) }
        repeat { items.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw malformed("an array does not end") }
        return .array(items)
    }

    private mutating func number() throws(JSONValue.Malformed) -> JSONValue {
        let start = at
        while at < bytes.count, "+-.0123456789eE".utf8.contains(bytes[at]) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard Double(text) != nil else { throw malformed("no value") }
        return .number(text)
    }

    private mutating func string() throws(JSONValue.Malformed) -> String {
        at += 1
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try escape()
            default: text.append(byte)
            }
        }
        throw malformed("a string does not end")
    }

    private mutating func escape() throws(JSONValue.Malformed) -> [UInt8] {
        guard at < bytes.count else { throw malformed("a string does not end") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "u"):
            var units = [try hex()]
            if UTF16.isLeadSurrogate(units[0]), word("\\u") { units.append(try hex()) }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        default: return [byte]
        }
    }

    private mutating func hex() throws(JSONValue.Malformed) -> UInt16 {
        let digits = bytes[at...].prefix(4)
        guard digits.count == 4,
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw malformed("a bad escape") }
        at += 4
        return unit
    }
}
