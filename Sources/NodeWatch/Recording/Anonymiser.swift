/// Puts other names in the place of all names in a recording, as it is made. Belongs to one thread.
package struct Anonymiser {
    private enum Body {
        case json(JSONAnonymiser)
        case protobuf(ProtobufAnonymiser)
        /// Whatever a proxy may say.
        case other
    }

    private var names = Pseudonyms()
    private var body = Body.other

    package init() {}

    /// Another name for a cluster.
    package mutating func name(_ name: String) -> String { names.of(name) }

    /// What is to be recorded instead: nothing by now, or what was left of a body and the piece.
    package mutating func pieces(_ piece: RecordingPiece) -> [RecordingPiece] {
        switch piece {
        case .open(let target, let accept):
            rest() + [.open(target: self.target(target), accept: accept)]
        case .head(_, let contentType, _): begin(contentType) + [piece]
        case .body(let bytes): given(feed(bytes))
        case .end: rest() + [.end]
        // Messages may name servers.
        case .failure(let kind, _): rest() + [.failure(kind, message: "")]
        }
    }

    private mutating func begin(_ contentType: String) -> [RecordingPiece] {
        let rest = rest()
        if contentType.contains("json") {
            body = .json(JSONAnonymiser(.nodes))
        } else if contentType.contains("protobuf") {
            body = .protobuf(ProtobufAnonymiser(.nodes))
        } else {
            body = .other
        }
        return rest
    }

    private mutating func feed(_ bytes: [UInt8]) -> [UInt8] {
        switch body {
        case .json(var json):
            // So that it is changed in place.
            body = .other
            defer { body = .json(json) }
            return json.feed(bytes, &names)
        case .protobuf(var protobuf):
            body = .other
            defer { body = .protobuf(protobuf) }
            return protobuf.feed(bytes, &names)
        case .other:
            var bytes = bytes
            names.replace(&bytes)
            return bytes
        }
    }

    /// What is left of a body that has ended, in whatever way.
    private mutating func rest() -> [RecordingPiece] {
        defer { body = .other }
        switch body {
        case .json(var json): return given(json.finish(&names))
        case .protobuf(var protobuf): return given(protobuf.finish(&names))
        case .other: return []
        }
    }

    private func given(_ bytes: [UInt8]) -> [RecordingPiece] { bytes.isEmpty ? [] : [.body(bytes)] }

    /// Selectors and tokens of pages name things, the other parameters do not.
    private mutating func target(_ target: String) -> String {
        guard let question = target.firstIndex(of: "?") else { return target }
        let parameters = target[target.index(after: question)...].split(separator: "&").map {
            parameter in
            let parts = parameter.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2,
                ["labelSelector", "fieldSelector", "continue"].contains(parts[0])
            else { return String(parameter) }
            return "\(parts[0])=\(selector(parts[1]))"
        }
        return target[...question] + parameters.joined(separator: "&")
    }

    /// Escapes stay escapes.
    private mutating func selector(_ text: String) -> String {
        text.split(separator: "%", omittingEmptySubsequences: false).enumerated().map { at, part in
            at == 0
                ? names.of(String(part))
                : String(part.prefix(2)) + names.of(String(part.dropFirst(2)))
        }.joined(separator: "%")
    }
}
