/// Replaces the names in JSON as it comes, byte for byte: what comes out is as long as what went in, and
/// whatever is no JSON is hidden like a text nobody knows. Belongs to one thread.
struct JSONAnonymiser {
    /// A text longer than that is hidden piece by piece.
    private static let longestText = 64 << 10
    /// What is nested deeper is hidden.
    private static let deepest = 500

    private struct Frame {
        var rule: AnonymisationRule
        var isObject: Bool
    }

    private enum State {
        case between
        /// In a string; the escape that is under way.
        case string(escape: Int)
        /// In a number or a word.
        case literal
    }

    private var frames: [Frame] = []
    /// Brackets beyond the deepest.
    private var deeper = 0
    private var state = State.between
    private var isKey = false
    /// The rule of the value that comes next.
    private var rule: AnonymisationRule
    private let root: AnonymisationRule
    /// The text or word that is coming in, as it was sent.
    private var pending: [UInt8] = []
    private var isLong = false

    init(_ root: AnonymisationRule) {
        self.root = root
        rule = root
    }

    /// Takes some bytes and gives what can be given of them by now.
    mutating func feed(_ bytes: [UInt8], _ names: inout Pseudonyms) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        for byte in bytes { take(byte, &out, &names) }
        return out
    }

    /// What is left where the bytes end.
    mutating func finish(_ names: inout Pseudonyms) -> [UInt8] {
        var out: [UInt8] = []
        switch state {
        case .between: break
        case .string: hide(&out, &names)
        case .literal: endLiteral(&out, &names)
        }
        self = JSONAnonymiser(root)
        return out
    }

    private mutating func take(_ byte: UInt8, _ out: inout [UInt8], _ names: inout Pseudonyms) {
        switch state {
        case .string(let escape):
            if escape == 0, byte == UInt8(ascii: "\"") {
                endString(&out, &names)
                out.append(byte)
                return
            }
            pending.append(byte)
            state = .string(escape: Self.escape(after: byte, escape))
            if pending.count > Self.longestText, case .string(escape: 0) = state {
                isLong = true
                hide(&out, &names)
            }
            return
        case .literal:
            if !Self.endsLiteral(byte) {
                pending.append(byte)
                if pending.count > Self.longestText { hide(&out, &names) }
                return
            }
            endLiteral(&out, &names)
            state = .between
        case .between: break
        }
        structure(byte)
        switch state {
        case .literal: pending.append(byte)
        case .between, .string: out.append(byte)
        }
    }

    /// A byte outside of texts and words.
    private mutating func structure(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["): open(isObject: byte == UInt8(ascii: "{"))
        case UInt8(ascii: "}"), UInt8(ascii: "]"): close()
        case UInt8(ascii: ","):
            isKey = frames.last?.isObject ?? false
            if let frame = frames.last, !frame.isObject { rule = frame.rule }
        case UInt8(ascii: ":"): isKey = false
        case UInt8(ascii: "\""): state = .string(escape: 0)
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): break
        default: state = .literal
        }
    }

    private mutating func open(isObject: Bool) {
        guard frames.count < Self.deepest, deeper == 0 else {
            deeper += 1
            rule = .hidden
            return
        }
        frames.append(Frame(rule: rule, isObject: isObject))
        isKey = isObject
    }

    private mutating func close() {
        if deeper > 0 {
            deeper -= 1
        } else {
            _ = frames.popLast()
        }
        isKey = false
        // A watch is one object after the other.
        rule = frames.last.map { $0.isObject ? .hidden : $0.rule } ?? root
    }

    private mutating func endString(_ out: inout [UInt8], _ names: inout Pseudonyms) {
        state = .between
        defer { isLong = false }
        guard !isLong, deeper == 0 else {
            hide(&out, &names)
            return
        }
        if isKey, let frame = frames.last {
            let (member, isShown) = frame.rule.member(pending)
            rule = member
            if isShown { show(&out) } else { hide(&out, &names) }
        } else if rule.mayShow(pending) {
            show(&out)
        } else {
            hide(&out, &names)
        }
    }

    private mutating func endLiteral(_ out: inout [UInt8], _ names: inout Pseudonyms) {
        state = .between
        if Self.isLiteral(pending) { show(&out) } else { hide(&out, &names) }
    }

    private mutating func show(_ out: inout [UInt8]) {
        out += pending
        pending.removeAll(keepingCapacity: true)
    }

    /// Gives a text with other names. Escapes stay escapes.
    private mutating func hide(_ out: inout [UInt8], _ names: inout Pseudonyms) {
        var start = 0
        var at = 0
        while at < pending.count {
            guard pending[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            names.replace(&pending, in: start..<at)
            let isLetter = at + 1 < pending.count && pending[at + 1] == UInt8(ascii: "u")
            let end = min(at + (isLetter ? 6 : 2), pending.count)
            if isLetter {
                // "\u0078", an x.
                for (offset, digit) in "0078".utf8.enumerated() where at + 2 + offset < end {
                    pending[at + 2 + offset] = digit
                }
            }
            (start, at) = (end, end)
        }
        names.replace(&pending, in: start..<pending.count)
        show(&out)
    }

    /// How much of an escape is to come after a byte: of "\n" one more, of "\u00e9" five.
    private static func escape(after byte: UInt8, _ escape: Int) -> Int {
        switch escape {
        case 0: byte == UInt8(ascii: "\\") ? -1 : 0
        case -1: byte == UInt8(ascii: "u") ? 4 : 0
        default: escape - 1
        }
    }

    private static func endsLiteral(_ byte: UInt8) -> Bool {
        "{}[]:,\" \t\r\n".utf8.contains(byte)
    }

    private static func isLiteral(_ bytes: [UInt8]) -> Bool {
        if ["true", "false", "null"].contains(where: { bytes.elementsEqual($0.utf8) }) {
            return true
        }
        return bytes.count < 64 && bytes.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    }
}
