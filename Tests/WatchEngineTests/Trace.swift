import Testing
import WatchEngine

/// Decodes bytes and writes every event as one line, so that a test reads as input and trace.
struct Tracer {
    var limits = plm_limits()
    /// Objects as they are, of any kind.
    var wholeObjects = false
    var labels: [(key: String, slot: UInt32)] = [("pool", 0), ("zone", 1), ("old-zone", 1)]
    var shard = plm_shard()
    /// What the first trace of a body has taught is known to the next.
    var repeats = 1

    /// Under sanitizers, without optimization: less of the same.
    static var isSlow: Bool {
        #if DEBUG
            true
        #else
            false
        #endif
    }

    static let scanners: [plm_scanner] = [.scalar, .sse2, .avx2, .neon].filter {
        plm_scanner_is_available($0)
    }

    /// By its first byte: "k8s", or the length of a frame below 16 MiB.
    static func isProtobuf(_ body: [UInt8]) -> Bool {
        body.first == UInt8(ascii: "k") || body.first == 0
    }

    /// The trace of a body fed in chunks of `chunk` bytes; `finish: false` leaves the end away. It is
    /// that of the strict decoder, and every other way to decode must give the same: but where bytes
    /// are skipped they may hide a fault, so after one more may follow.
    func trace(
        _ body: [UInt8], chunk: Int = .max, finish: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> [String] {
        let expected = trace(body, chunk: chunk, finish: finish, scanner: nil)
        let faultAt = expected.firstIndex { $0.hasPrefix("failure syntax") }
        for scanner in Self.isProtobuf(body) ? [.automatic] : Self.scanners {
            let found = trace(body, chunk: chunk, finish: finish, scanner: scanner)
            if found == expected { continue }
            guard let faultAt else {
                let index = zip(found, expected).prefix { $0 == $1 }.count
                #expect(
                    found.dropFirst(index).first == expected.dropFirst(index).first,
                    "scanner \(scanner.rawValue), event \(index)", sourceLocation: sourceLocation)
                continue
            }
            #expect(
                found.prefix(faultAt) == expected.prefix(faultAt),
                "scanner \(scanner.rawValue), before the fault", sourceLocation: sourceLocation)
        }
        return expected
    }

    /// The trace of one way to decode: with a scanner, or strict. The first piece may be of another size.
    func trace(
        _ body: [UInt8], first: Int? = nil, chunk: Int = .max, finish: Bool = true,
        scanner: plm_scanner?
    ) -> [String] {
        var options = plm_client_options()
        options.limits = limits
        let client = plm_client_create(&options)!
        defer { plm_client_destroy(client) }
        var lines = ImageNames(wholeObjects: wholeObjects)
        for _ in 0..<repeats {
            let decoder = makeDecoder(client, scanner)
            defer { plm_decoder_destroy(decoder) }
            var batch = plm_batch()
            var at = 0
            while at < body.count {
                let count = min(at == 0 ? first ?? chunk : chunk, body.count - at)
                let goesOn = body.withUnsafeBytes {
                    plm_decoder_feed(
                        decoder,
                        $0.baseAddress!.advanced(by: at).assumingMemoryBound(to: CChar.self),
                        count, &batch)
                }
                lines.append(batch)
                at += count
                if !goesOn { return lines.trace }
            }
            if finish {
                _ = plm_decoder_finish(decoder, &batch)
                lines.append(batch)
            }
        }
        return lines.trace
    }

    func trace(
        _ body: String, chunk: Int = .max, finish: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> [String] {
        trace(Array(body.utf8), chunk: chunk, finish: finish, sourceLocation: sourceLocation)
    }

    func makeDecoder(_ client: OpaquePointer, _ scanner: plm_scanner?) -> OpaquePointer {
        // Slots are named by C strings that must live until the projection has been copied.
        var pointers: [UnsafeMutablePointer<CChar>] = []
        defer { pointers.forEach { $0.deallocate() } }
        let keys = labels.map { label in
            let bytes = label.key.utf8CString
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            for (index, byte) in bytes.enumerated() { copy[index] = byte }
            pointers.append(copy)
            return plm_label_key(key: copy, slot: label.slot)
        }
        return keys.withUnsafeBufferPointer {
            var projection = plm_projection(
                label_keys: $0.baseAddress, label_key_count: $0.count,
                whole_objects: wholeObjects, strict: scanner == nil,
                scanner: scanner ?? .automatic, wire_format: .automatic, shard: shard)
            return plm_decoder_create(client, &projection)!
        }
    }
}

/// Writes events down; remembers images so that a node's line names them.
struct ImageNames {
    private let wholeObjects: Bool

    init(wholeObjects: Bool = false) { self.wholeObjects = wholeObjects }

    private(set) var trace: [String] = []
    private var images: [UInt32: String] = [:]

    mutating func append(_ batch: plm_batch) {
        for event in UnsafeBufferPointer(start: batch.events, count: batch.count) {
            append(event)
        }
    }

    private mutating func append(_ event: plm_event) {
        switch event.kind {
        case .head: trace.append("head \(event.head.status)")
        case .image:
            let names = UnsafeBufferPointer(
                start: event.image.names, count: event.image.name_count)
            let text = names.map(\.string).joined(separator: "|")
            precondition(images[event.image.id] == nil, "defined twice")
            images[event.image.id] = "\(text)=\(event.image.size_bytes)"
        case .added: trace.append("added " + describe(event))
        case .modified: trace.append("modified " + describe(event))
        case .deleted: trace.append("deleted " + describe(event))
        case .bookmark:
            let end = event.bookmark.initial_events_end ? " initial-events-end" : ""
            trace.append("bookmark \(event.bookmark.resource_version.string)\(end)")
        case .list:
            var line = "list \(event.list.resource_version.string)"
            if event.list.continue_token.length > 0 {
                line += " continue=\(event.list.continue_token.string)"
            }
            if event.list.remaining_item_count >= 0 {
                line += " remaining=\(event.list.remaining_item_count)"
            }
            trace.append(line)
        case .status:
            let status = event.status
            var line = "status \(status.code) \(status.reason.string): \(status.message.string)"
            if status.cause.bytes != nil { line += " cause=\(status.cause.string)" }
            if status.retry_after_seconds >= 0 { line += " retry=\(status.retry_after_seconds)" }
            if status.continue_token.bytes != nil { line += " continue" }
            trace.append(line + (status.in_stream ? " (in stream)" : ""))
        case .rejected:
            trace.append(
                "rejected "
                    + (event.rejection.namespace_name.bytes == nil
                        ? "" : event.rejection.namespace_name.string + "/")
                    + "\(event.rejection.name.string)@"
                    + "\(event.rejection.resource_version.string): \(event.rejection.reason.string)"
            )
        case .skipped: trace.append("skipped @\(event.skipped_version.string)")
        case .unknown: trace.append("unknown \(event.unknown_type.string)")
        case .end: trace.append(event.end.in_object ? "end in object" : "end")
        case .failure:
            trace.append("failure \(event.failure.kind.text): \(event.failure.message.string)")
        }
    }

    private func describe(_ event: plm_event) -> String {
        guard wholeObjects else { return describe(event.node) }
        let object = event.object
        let key =
            (object.namespace_name.bytes == nil ? "" : object.namespace_name.string + "/")
            + object.name.string
        return "\(key)@\(object.resource_version.string) \(object.json.string)"
    }

    private func describe(_ node: plm_node) -> String {
        var parts = ["\(node.name.string)@\(node.resource_version.string)"]
        func add(_ label: String, _ text: plm_text) {
            if text.bytes != nil { parts.append("\(label)=\(text.string)") }
        }
        add("uid", node.uid)
        add("created", node.creation_timestamp)
        add("deleting", node.deletion_timestamp)
        add("label0", node.labels.0)
        add("label1", node.labels.1)
        add("capacity", node.capacity_ephemeral_storage)
        add("allocatable", node.allocatable_ephemeral_storage)
        add("runtime", node.container_runtime_version)
        add("kubelet", node.kubelet_version)
        add("boot", node.boot_id)
        if node.ready != .absent { parts.append("ready=\(node.ready.text)") }
        if node.disk_pressure != .absent { parts.append("pressure=\(node.disk_pressure.text)") }
        if node.unschedulable { parts.append("cordoned") }
        if node.has_images {
            let ids = UnsafeBufferPointer(start: node.image_ids, count: node.image_count)
            let known = ids.map { images[$0] ?? "undefined!" }
            let total = node.image_bytes_overflow ? "overflow" : "\(node.image_bytes)"
            parts.append("images[\(known.joined(separator: ", "))]=\(total)")
        }
        return parts.joined(separator: " ")
    }
}

extension plm_text {
    var string: String {
        bytes.map {
            String(
                decoding: UnsafeRawBufferPointer(start: $0, count: length), as: UTF8.self)
        } ?? ""
    }
}

extension plm_condition {
    var text: String {
        switch self {
        case .absent: "absent"
        case .isTrue: "true"
        case .isFalse: "false"
        case .unknown: "unknown"
        }
    }
}

extension plm_failure_kind {
    var text: String {
        switch self {
        case .cancelled: "cancelled"
        case .resolve: "resolve"
        case .connect: "connect"
        case .tls: "tls"
        case .certificate: "certificate"
        case .credentials: "credentials"
        case .transport: "transport"
        case .timeout: "timeout"
        case .contentType: "contentType"
        case .syntax: "syntax"
        case .truncated: "truncated"
        case .limit: "limit"
        case .memory: "memory"
        case .request: "request"
        }
    }
}
