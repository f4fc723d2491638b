import ObjectEncoding

/// How the events of a watch are written.
struct WatchWriter<Object>: Sendable {
    var contentType: String
    var event: @Sendable (_ type: String, Object) -> [UInt8]
    var bookmark: @Sendable (_ resourceVersion: Int, _ isInitialEventsEnd: Bool) -> [UInt8]
    var error: @Sendable (StatusBody) -> [UInt8]

    /// Lines of JSON.
    ///
    /// - Parameters:
    ///   - append: Writes an object as the request wants to see it.
    ///   - appendBookmark: Writes the empty object of a bookmark, around its metadata.
    static func json(
        append: @escaping @Sendable (Object, inout JSONText) -> Void,
        appendBookmark: @escaping @Sendable (_ metadata: String, inout JSONText) -> Void
    ) -> WatchWriter {
        @Sendable func line(_ type: String, _ write: (inout JSONText) -> Void) -> [UInt8] {
            var json = JSONText()
            json.bytes.reserveCapacity(24 * 1024)
            json.raw("{\"type\":\"\(type)\",\"object\":")
            write(&json)
            json.raw("}\n")
            return json.bytes
        }
        return WatchWriter(
            contentType: WireFormat.json.watchContentType,
            event: { type, object in line(type) { append(object, &$0) } },
            bookmark: { version, isEnd in
                let annotations = ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}"
                return line("BOOKMARK") {
                    appendBookmark(
                        "{\"resourceVersion\":\"\(version)\"\(isEnd ? annotations : "")}", &$0)
                }
            },
            error: { status in line("ERROR") { $0.raw(status.json.bytes) } })
    }

    /// Frames of protobuf.
    ///
    /// - Parameters:
    ///   - kind: Of core/v1; has a schema.
    ///   - append: Writes the fields of an object.
    static func protobuf(
        kind: String, append: @escaping @Sendable (Object, inout ProtobufText) -> Void
    ) -> WatchWriter {
        WatchWriter(
            contentType: WireFormat.protobuf.watchContentType,
            event: { type, object in
                var text = ProtobufText()
                text.bytes.reserveCapacity(24 * 1024)
                text.watchEvent(type) {
                    $0.unknown(apiVersion: "v1", kind: kind) { append(object, &$0) }
                }
                return text.bytes
            },
            bookmark: { version, isEnd in
                var metadata: JSONValue = ["resourceVersion": .string("\(version)")]
                if isEnd { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
                let object: JSONValue = [
                    "kind": .string(kind), "apiVersion": "v1", "metadata": metadata,
                ]
                var text = ProtobufText()
                text.watchEvent("BOOKMARK") { _ = $0.body(object) }
                return text.bytes
            },
            error: { status in
                var text = ProtobufText()
                let object = try? JSONValue(parsing: status.json.bytes)
                text.watchEvent("ERROR") { _ = $0.body(object ?? .null) }
                return text.bytes
            })
    }
}
