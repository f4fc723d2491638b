internal import CYaml

/// A YAML document (JSON is YAML too), with the place of every value for error messages.
///
/// libyaml (https://pyyaml.org/wiki/LibYAML) reads it, in UTF-8 or UTF-16, with or without a byte
/// order mark; what kubeconfigs do not use is refused: anchors and aliases, and maps with keys that
/// are no scalars.
package struct YAML: Sendable {
    package indirect enum Content: Sendable {
        case scalar(String, isPlain: Bool)
        case sequence([YAML])
        case mapping([(key: String, value: YAML)])
    }

    /// A line and a column in it, in characters, both from 1.
    package struct Place: Sendable, Hashable {
        package var line: Int
        package var column: Int

        package init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    package var content: Content
    package var place: Place
    /// Of a mapping's value: where its key is.
    package var keyPlace: Place?

    package var line: Int { place.line }

    /// What is wrong with a text, and where.
    package struct Malformed: Error {
        package var message: String
        package var place: Place

        package var line: Int { place.line }
    }

    /// Nested deeper than any kubeconfig.
    private static let maxDepth = 64

    /// Reads one document. An empty text is a null.
    package init(_ bytes: [UInt8]) throws(Malformed) {
        let documents = try Self.documents(bytes)
        if documents.count > 1 {
            throw Malformed(message: "more than one document", place: documents[1].place)
        }
        self = documents.first ?? YAML(.scalar("", isPlain: true), Place(line: 1, column: 1))
    }

    /// Reads all documents of a text.
    package static func documents(_ bytes: [UInt8]) throws(Malformed) -> [YAML] {
        var reader = try Reader(bytes)
        defer { reader.close() }
        return try reader.documents()
    }

    private init(_ content: Content, _ place: Place) {
        self.content = content
        self.place = place
    }

    /// Absent, `null`, `~` or nothing at all.
    package var isNull: Bool {
        if case .scalar(let text, isPlain: true) = content {
            return ["", "~", "null", "Null", "NULL"].contains(text)
        }
        return false
    }

    /// A scalar's text; nil for null and what is no scalar.
    package var string: String? {
        guard case .scalar(let text, _) = content, !isNull else { return nil }
        return text
    }

    /// A plain `true` or `false`.
    package var bool: Bool? {
        guard case .scalar(let text, isPlain: true) = content else { return nil }
        return ["true": true, "True": true, "false": false, "False": false][text]
    }

    /// A sequence's elements; nil for what is none.
    package var elements: [YAML]? {
        if case .sequence(let elements) = content { return elements }
        return nil
    }

    /// A mapping's pairs; nil for what is none.
    package var pairs: [(key: String, value: YAML)]? {
        if case .mapping(let pairs) = content { return pairs }
        return nil
    }

    /// A mapping's value, null counting as absent.
    package subscript(key: String) -> YAML? {
        pairs?.last { $0.key == key }.flatMap { $0.value.isNull ? nil : $0.value }
    }

    /// The same as JSON. Plain scalars are numbers, booleans and nulls where they look like it.
    package var json: String {
        switch content {
        case .sequence(let elements):
            return "[" + elements.map(\.json).joined(separator: ",") + "]"
        case .mapping(let pairs):
            let members = pairs.map { "\(JSONString.quoted($0.key)):\($0.value.json)" }
            return "{" + members.joined(separator: ",") + "}"
        case .scalar(let text, let isPlain):
            if isNull { return "null" }
            if let bool { return "\(bool)" }
            if isPlain, Int64(text) != nil, !text.hasPrefix("+"), text == String(Int64(text)!) {
                return text
            }
            if isPlain, text.contains("."), let number = Double(text), number.isFinite {
                return "\(number)"
            }
            return JSONString.quoted(text)
        }
    }

    // MARK: Reading

    /// Owns a libyaml parser while a document is read.
    private struct Reader {
        private let parser: UnsafeMutablePointer<yaml_parser_t>
        private let bytes: UnsafeMutableBufferPointer<UInt8>

        init(_ source: [UInt8]) throws(Malformed) {
            parser = .allocate(capacity: 1)
            bytes = .allocate(capacity: max(1, source.count))
            _ = bytes.update(fromContentsOf: source)
            guard yaml_parser_initialize(parser) == 1 else {
                throw Malformed(message: "out of memory", place: Place(line: 1, column: 1))
            }
            yaml_parser_set_input_string(parser, bytes.baseAddress, source.count)
        }

        func close() {
            yaml_parser_delete(parser)
            parser.deallocate()
            bytes.deallocate()
        }

        mutating func documents() throws(Malformed) -> [YAML] {
            var documents: [YAML] = []
            while true {
                var event = try next()
                defer { yaml_event_delete(&event) }
                switch event.type {
                case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
                case YAML_STREAM_END_EVENT: return documents
                case YAML_DOCUMENT_START_EVENT: documents.append(try value(depth: 0))
                default:
                    throw Malformed(message: "unexpected content", place: Self.place(event))
                }
            }
        }

        private mutating func value(depth: Int) throws(Malformed) -> YAML {
            var event = try next()
            defer { yaml_event_delete(&event) }
            return try value(event, depth: depth)
        }

        private mutating func value(_ event: yaml_event_t, depth: Int) throws(Malformed) -> YAML {
            let place = Self.place(event)
            guard depth < YAML.maxDepth else {
                throw Malformed(message: "nested too deep", place: place)
            }
            switch event.type {
            case YAML_SCALAR_EVENT:
                guard event.data.scalar.anchor == nil else { throw Self.anchor(place) }
                return YAML(
                    .scalar(
                        Self.text(event),
                        isPlain: event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE), place)
            case YAML_SEQUENCE_START_EVENT:
                guard event.data.sequence_start.anchor == nil else { throw Self.anchor(place) }
                return YAML(.sequence(try sequence(depth)), place)
            case YAML_MAPPING_START_EVENT:
                guard event.data.mapping_start.anchor == nil else { throw Self.anchor(place) }
                return YAML(.mapping(try mapping(depth)), place)
            default: throw Self.anchor(place)
            }
        }

        private mutating func sequence(_ depth: Int) throws(Malformed) -> [YAML] {
            var elements: [YAML] = []
            while true {
                var event = try next()
                defer { yaml_event_delete(&event) }
                if event.type == YAML_SEQUENCE_END_EVENT { return elements }
                elements.append(try value(event, depth: depth + 1))
            }
        }

        private mutating func mapping(
            _ depth: Int
        ) throws(Malformed) -> [(key: String, value: YAML)] {
            var pairs: [(key: String, value: YAML)] = []
            while true {
                var event = try next()
                defer { yaml_event_delete(&event) }
                if event.type == YAML_MAPPING_END_EVENT { return pairs }
                guard event.type == YAML_SCALAR_EVENT else {
                    throw Malformed(message: "a key that is no text", place: Self.place(event))
                }
                var value = try value(depth: depth + 1)
                value.keyPlace = Self.place(event)
                pairs.append((Self.text(event), value))
            }
        }

        private func next() throws(Malformed) -> yaml_event_t {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else {
                let problem = parser.pointee.problem.map { String(cString: $0) } ?? "malformed YAML"
                throw Malformed(message: problem, place: Self.place(parser.pointee.problem_mark))
            }
            return event
        }

        private static func text(_ event: yaml_event_t) -> String {
            String(
                decoding: UnsafeBufferPointer(
                    start: event.data.scalar.value, count: event.data.scalar.length),
                as: UTF8.self)
        }

        private static func place(_ event: yaml_event_t) -> Place { place(event.start_mark) }

        private static func place(_ mark: yaml_mark_t) -> Place {
            Place(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
        }

        private static func anchor(_ place: Place) -> Malformed {
            Malformed(message: "anchors and aliases are not supported", place: place)
        }
    }
}
