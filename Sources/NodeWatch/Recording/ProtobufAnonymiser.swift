/// Replaces the names in Kubernetes' protobuf as it comes, byte for byte: lengths stay, and with them the
/// messages. A list is taken item by item. What is malformed or unknown is hidden all. Belongs to one thread.
struct ProtobufAnonymiser {
    private static let magic = Array("k8s\0".utf8)
    /// A longer part is no object.
    private static let longestPart: UInt64 = 64 << 20

    private enum State {
        /// The magic, or the length of the first frame.
        case start
        case frameLength
        case frame(Int)
        /// Tag and length of a field of the envelope.
        case envelope
        case typeMeta(Int)
        /// An object; without fields that are known, all of it is hidden.
        case object(ProtobufFields?, Int)
        /// Tag and length of a field of a list of which so much is left.
        case list(ProtobufFields, left: UInt64)
        case item(ProtobufFields, number: UInt64, Int, left: UInt64)
        /// What follows cannot be told apart.
        case rest
    }

    private let root: AnonymisationRule
    private var state = State.start
    private var pending: [UInt8] = []
    private var kind: [UInt8] = []

    init(_ root: AnonymisationRule) { self.root = root }

    /// Takes some bytes and gives what can be given of them by now.
    mutating func feed(_ bytes: [UInt8], _ names: inout Pseudonyms) -> [UInt8] {
        pending += bytes
        var at = 0
        while let count = step(at, &names) { at += count }
        defer { pending.removeFirst(at) }
        return Array(pending[..<at])
    }

    /// What is left where the bytes end.
    mutating func finish(_ names: inout Pseudonyms) -> [UInt8] {
        names.replace(&pending)
        defer { self = ProtobufAnonymiser(root) }
        return pending
    }

    /// Takes the part that begins there. Returns its length; nil: it has not come whole.
    private mutating func step(_ at: Int, _ names: inout Pseudonyms) -> Int? {
        let come = pending.count - at
        func has(_ count: Int) -> Int? { come >= count ? count : nil }
        switch state {
        case .start:
            guard come >= 4 else { return nil }
            let isEnvelope = pending[at..<(at + 4)].elementsEqual(Self.magic)
            state = isEnvelope ? .envelope : .frameLength
            return isEnvelope ? 4 : 0
        case .frameLength:
            guard come >= 4 else { return nil }
            let length = pending[at..<(at + 4)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            state = length <= Self.longestPart ? .frame(Int(length)) : .rest
            return 4
        case .frame(let length):
            guard let count = has(length) else { return nil }
            state = .frameLength
            rewrite(at..<(at + count), .watchEvent, root, &names)
            return count
        case .envelope:
            guard let field = Wire.field(pending[at...]) else {
                // Twenty bytes are a tag and a length, or never will be.
                if come >= 20 { state = .rest }
                return come >= 20 ? 0 : nil
            }
            state = enveloped(field)
            return field.headerBytes
        case .typeMeta(let length):
            guard let count = has(length) else { return nil }
            kind = Wire.text(2, in: pending[at..<(at + count)]) ?? []
            state = .envelope
            return count
        case .object(let fields, let length):
            guard let count = has(length) else { return nil }
            state = .envelope
            if let fields {
                rewrite(at..<(at + count), fields, root, &names)
            } else {
                names.replace(&pending, in: at..<(at + count))
            }
            return count
        case .list(let fields, let left):
            if left == 0 {
                state = .envelope
                return 0
            }
            guard let field = Wire.field(pending[at...]) else {
                if come >= 20 { state = .rest }
                return come >= 20 ? 0 : nil
            }
            let taken = UInt64(field.headerBytes) + min(field.length, Self.longestPart + 1)
            guard taken <= left, field.length <= Self.longestPart else {
                state = .rest
                return 0
            }
            state = .item(fields, number: field.number, Int(field.length), left: left - taken)
            return field.headerBytes
        case .item(let fields, let number, let length, let left):
            guard let count = has(length) else { return nil }
            state = .list(fields, left: left)
            rewriteField(at..<(at + count), fields[number], root, &names)
            return count
        case .rest:
            guard come > 0 else { return nil }
            names.replace(&pending, in: at..<pending.count)
            return come
        }
    }

    /// What follows the header of an envelope's field.
    private func enveloped(_ field: Wire.Field) -> State {
        guard field.isCounted else { return field.number == 0 ? .rest : .envelope }
        if field.number == 2, kind.suffix(4).elementsEqual("List".utf8),
            let list = ProtobufFields.of(kind: kind)
        {
            return .list(list, left: field.length)
        }
        guard field.length <= Self.longestPart else { return .rest }
        switch field.number {
        case 1: return .typeMeta(Int(field.length))
        case 2: return .object(ProtobufFields.of(kind: kind), Int(field.length))
        default: return .object(nil, Int(field.length))
        }
    }

    // MARK: Whole messages

    /// The fields of a message that have a content; what follows none is hidden.
    private mutating func fields(
        _ range: Range<Int>, _ names: inout Pseudonyms
    ) -> [(number: UInt64, content: Range<Int>)] {
        var found: [(UInt64, Range<Int>)] = []
        var at = range.lowerBound
        while at < range.upperBound {
            guard let field = Wire.field(pending[at..<range.upperBound]),
                field.length <= UInt64(range.upperBound - at - field.headerBytes)
            else {
                names.replace(&pending, in: at..<range.upperBound)
                break
            }
            at += field.headerBytes
            let content = at..<(at + Int(field.length))
            if field.isCounted { found.append((field.number, content)) }
            at = content.upperBound
        }
        return found
    }

    private mutating func rewrite(
        _ range: Range<Int>, _ fields: ProtobufFields, _ rule: AnonymisationRule,
        _ names: inout Pseudonyms
    ) {
        for (number, content) in self.fields(range, &names) {
            rewriteField(content, fields[number], rule, &names)
        }
    }

    private mutating func rewriteField(
        _ range: Range<Int>, _ field: (name: [UInt8], form: ProtobufFields.Form)?,
        _ rule: AnonymisationRule, _ names: inout Pseudonyms
    ) {
        guard let field else {
            names.replace(&pending, in: range)
            return
        }
        let member = field.name.isEmpty ? rule : rule.member(field.name).rule
        if case .map(let form) = field.form {
            rewriteEntry(range, form, member, &names)
        } else {
            rewriteValue(range, field.form, member, &names)
        }
    }

    private mutating func rewriteValue(
        _ range: Range<Int>, _ form: ProtobufFields.Form, _ rule: AnonymisationRule,
        _ names: inout Pseudonyms
    ) {
        switch form {
        case .message(let fields): rewrite(range, fields, rule, &names)
        case .text:
            if !rule.mayShow(Array(pending[range])) { names.replace(&pending, in: range) }
        case .enveloped: rewriteEnvelope(range, &names)
        case .map: names.replace(&pending, in: range)
        }
    }

    /// An entry of a map: its key says what becomes of the value.
    private mutating func rewriteEntry(
        _ range: Range<Int>, _ form: ProtobufFields.Form, _ rule: AnonymisationRule,
        _ names: inout Pseudonyms
    ) {
        let (value, isKeyShown) = rule.member(Wire.text(1, in: pending[range]) ?? [])
        for (number, content) in fields(range, &names) {
            switch number {
            case 1: if !isKeyShown { names.replace(&pending, in: content) }
            case 2: rewriteValue(content, form, value, &names)
            default: names.replace(&pending, in: content)
            }
        }
    }

    /// An object with "k8s\0" and a runtime.Unknown around it.
    private mutating func rewriteEnvelope(_ range: Range<Int>, _ names: inout Pseudonyms) {
        guard pending[range].prefix(4).elementsEqual(Self.magic) else {
            names.replace(&pending, in: range)
            return
        }
        var kind: [UInt8] = []
        for (number, content) in fields((range.lowerBound + 4)..<range.upperBound, &names) {
            if number == 1 {
                kind = Wire.text(2, in: pending[content]) ?? []
            } else if number == 2, let fields = ProtobufFields.of(kind: kind) {
                rewrite(content, fields, root, &names)
            } else {
                names.replace(&pending, in: content)
            }
        }
    }
}

/// Protobuf's wire format, as far as it takes to find texts.
private enum Wire {
    struct Field {
        var number: UInt64
        /// Its content follows, as long as it says; else it is a number, and part of the header.
        var isCounted: Bool
        var length: UInt64
        var headerBytes: Int
    }

    /// The field that begins there; nil where that is none, or has not come whole.
    static func field(_ bytes: ArraySlice<UInt8>) -> Field? {
        guard let (tag, tagBytes) = number(bytes), tag >> 3 > 0 else { return nil }
        let rest = bytes.dropFirst(tagBytes)
        func plain(_ count: Int) -> Field? {
            guard rest.count >= count else { return nil }
            return Field(
                number: tag >> 3, isCounted: false, length: 0, headerBytes: tagBytes + count)
        }
        switch tag & 7 {
        case 0: return number(rest).flatMap { plain($0.bytes) }
        case 1: return plain(8)
        case 5: return plain(4)
        case 2:
            guard let (length, lengthBytes) = number(rest) else { return nil }
            return Field(
                number: tag >> 3, isCounted: true, length: length,
                headerBytes: tagBytes + lengthBytes)
        default: return nil
        }
    }

    /// A text among the fields of a message.
    static func text(_ number: UInt64, in message: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = message
        while let field = field(rest), field.length <= UInt64(rest.count - field.headerBytes) {
            let content = rest.dropFirst(field.headerBytes).prefix(Int(field.length))
            if field.number == number, field.isCounted { return Array(content) }
            rest = rest[content.endIndex...]
        }
        return nil
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> (value: UInt64, bytes: Int)? {
        var value: UInt64 = 0
        for (at, byte) in bytes.prefix(10).enumerated() {
            value |= UInt64(byte & 0x7f) << UInt64(7 * at)
            if byte < 0x80 { return (value, at + 1) }
        }
        return nil
    }
}
