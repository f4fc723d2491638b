import ObjectEncoding

/// A SelfSubjectAccessReview in protobuf, the form in which kubectl sends it.
///
/// "k8s\0", then `runtime.Unknown` whose field 2 is the object: the review's spec is its field 2,
/// the spec's resourceAttributes field 1.
enum ProtobufReview {
    private static let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]
    private static let attributes = [
        1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource",
        7: "name",
    ]

    /// The review as a document; nil where the bytes are none.
    static func document(_ bytes: [UInt8]) -> JSONValue? {
        guard bytes.starts(with: magic), let object = fields(bytes.dropFirst(4))?[2],
            let spec = fields(object[...])?[2]
        else { return nil }
        var asked = JSONObject()
        if let attributes = fields(spec[...])?[1], let texts = fields(attributes[...]) {
            for (number, name) in self.attributes {
                guard let text = texts[number] else { continue }
                asked[name] = .string(String(decoding: text, as: UTF8.self))
            }
        }
        return ["spec": ["resourceAttributes": .object(asked)]]
    }

    /// The length-delimited fields of a message by number.
    private static func fields(_ bytes: ArraySlice<UInt8>) -> [Int: [UInt8]]? {
        var fields: [Int: [UInt8]] = [:]
        var rest = bytes
        while !rest.isEmpty {
            guard let tag = varint(&rest) else { return nil }
            switch tag & 7 {
            case 0: guard varint(&rest) != nil else { return nil }
            case 2:
                guard let length = varint(&rest), length <= rest.count else { return nil }
                fields[tag >> 3] = Array(rest.prefix(length))
                rest = rest.dropFirst(length)
            default: return nil
            }
        }
        return fields
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        var value = 0
        for shift in stride(from: 0, to: 56, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= Int(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
