extension ProtobufText {
    /// What protobuf bodies of Kubernetes begin with.
    package static let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]

    /// The fields of a message, from an object in JSON.
    package mutating func fields(_ object: JSONValue, _ schema: ProtobufSchema) {
        for field in schema.fields {
            let value = object[field.name] ?? .null
            if field.isPointer, value == .null { continue }
            append(field.number, value, field.form)
        }
    }

    /// A body, or the object of a watch event: the magic and a runtime.Unknown.
    package mutating func unknown(
        apiVersion: String, kind: String, _ write: (inout ProtobufText) -> Void
    ) {
        typeMeta(apiVersion, kind)
        message(2, write)
        unknownEnd()
    }

    /// What comes before an object of so many bytes.
    package mutating func unknownStart(apiVersion: String, kind: String, length: Int) {
        typeMeta(apiVersion, kind)
        varint(2 << 3 | 2)
        varint(UInt64(length))
    }

    /// What comes after the object: its encoding and its type, both the usual ones.
    package mutating func unknownEnd() {
        string(3, "")
        string(4, "")
    }

    private mutating func typeMeta(_ apiVersion: String, _ kind: String) {
        bytes.append(contentsOf: Self.magic)
        message(1) {
            $0.string(1, apiVersion)
            $0.string(2, kind)
        }
    }

    /// A body: an object that says what it is. False where its kind has no schema.
    package mutating func body(_ object: JSONValue) -> Bool {
        guard let kind = object["kind"]?.string, let schema = ProtobufSchema.of(kind: kind) else {
            return false
        }
        unknown(apiVersion: object["apiVersion"]?.string ?? "", kind: kind) {
            $0.fields(object, schema)
        }
        return true
    }

    /// The field of ObjectMeta that says who owns what, from its list in JSON.
    package mutating func managedFields(_ list: JSONValue) {
        for field in ProtobufSchema.objectMeta.fields where field.name == "managedFields" {
            append(field.number, list, field.form)
        }
    }

    /// A frame of a watch: its length, and a WatchEvent whose object `write` writes.
    package mutating func watchEvent(_ type: String, _ write: (inout ProtobufText) -> Void) {
        let at = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0])
        string(1, type)
        message(2) { $0.message(1, write) }
        let length = UInt32(bytes.count - at - 4)
        for index in 0..<4 {
            bytes[at + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32(index)))
        }
    }

    private mutating func append(_ number: Int, _ value: JSONValue, _ form: ProtobufSchema.Form) {
        switch form {
        case .string: string(number, value.string ?? "")
        case .number: self.number(number, value.int ?? 0)
        case .bool: bool(number, value.bool ?? false)
        case .time: time(number, value.string.flatMap(Timestamp.seconds))
        case .quantity: message(number) { $0.string(1, value.string ?? "") }
        case .rawJSON: message(number) { $0.raw(1, value.bytes) }
        case .message(let schema): message(number) { $0.fields(value, schema) }
        case .list(let form):
            for item in value.array ?? [] { append(number, item, form) }
        case .map(let form):
            let pairs = (value.object?.pairs ?? []).sorted { $0.key < $1.key }
            for pair in pairs {
                message(number) {
                    $0.string(1, pair.key)
                    $0.append(2, pair.value, form)
                }
            }
        }
    }
}
