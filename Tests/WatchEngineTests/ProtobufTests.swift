import Foundation
import ObjectEncoding
import TestSupport
import Testing
import WatchEngine

/// A watch's frame around a Node, a Status or a bookmark.
private func frame(_ type: String, _ json: String) throws -> [UInt8] {
    let object = try JSONValue(parsing: Array(json.utf8))
    var text = ProtobufText()
    var isKnown = false
    text.watchEvent(type) { isKnown = $0.body(object) }
    #expect(isKnown)
    return text.bytes
}

private func body(_ json: String) throws -> [UInt8] {
    var text = ProtobufText()
    let isKnown = text.body(try JSONValue(parsing: Array(json.utf8)))
    #expect(isKnown)
    return text.bytes
}

private func node(_ name: String, _ more: String = "", images: String = "[]") -> String {
    """
    {"kind":"Node","apiVersion":"v1","metadata":{"name":"\(name)","uid":"u","resourceVersion":"7",\
    "creationTimestamp":"2026-11-23T01:37:17Z","labels":{"pool":"blue"}\(more)},\
    "spec":{},"status":{"nodeInfo":{"bootID":"b","containerRuntimeVersion":"containerd://2",\
    "kubeletVersion":""},"images":\(images)}}
    """
}

private func image(_ name: String, _ size: Int) -> String {
    #"{"names":["\#(name)"],"sizeBytes":\#(size)}"#
}

/// A watch with all that is kept of a Node, and with what ends one.
func protobufSample() throws -> [UInt8] {
    let images = "[\(image("x@sha256:1", 1)),\(image("y", 2))]"
    let bookmark =
        #"{"kind":"Node","apiVersion":"v1","metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}"#
    let status = #"{"kind":"Status","apiVersion":"v1","message":"m","reason":"Expired","code":410}"#
    return try frame("ADDED", node("a", images: images))
        + frame("MODIFIED", node("a", images: images))
        + frame("BOOKMARK", bookmark) + frame("ERROR", status)
}

@Suite("Protobuf: reading")
struct ProtobufTests {
    @Test func `reads a watch as it would in JSON, however it is cut`() throws {
        let objects = [
            ("ADDED", node("a", images: "[\(image("x", 1)),\(image("y", 2))]")),
            ("MODIFIED", node("a", images: "[\(image("y", 2)),\(image("x", 1))]")),
            ("MODIFIED", node("a", #","deletionTimestamp":"1999-12-31T23:59:59Z""#)),
            (
                "BOOKMARK",
                #"{"kind":"Node","apiVersion":"v1","metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}"#
            ),
            ("DELETED", node("a")), ("SOMETHING", node("b")),
            (
                "ERROR",
                #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"m","reason":"Expired","code":410}"#
            ),
        ]
        let json = objects.map { "{\"type\":\"\($0.0)\",\"object\":\($0.1)}\n" }.joined()
        // Without the empty list, which protobuf does not tell from none.
        let expected = Tracer().trace(json.replacing(#","images":[]"#, with: ""))
        let stream = try objects.flatMap { try frame($0.0, $0.1) }
        #expect(Tracer().trace(stream) == expected)
        // Before the fourth byte it may be anything.
        for cut in 4..<stream.count {
            let trace = Tracer().trace(Array(stream[..<cut]))
            #expect(trace.dropLast() == expected.prefix(trace.count - 1))
            #expect(trace.last?.hasPrefix("end") == true)
        }
        for chunk in [1, 2, 3, 5, 64] { #expect(Tracer().trace(stream, chunk: chunk) == expected) }
    }

    @Test func `reads a list to its end, and takes no part of one for it`() throws {
        let json = """
            {"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"5","continue":"c",\
            "remainingItemCount":3},"items":[\(node("a", images: "[\(image("x", 1))]")),\
            \(node("b", images: "[\(image("x", 1))]"))]}
            """
        let list = try body(json)
        let expected = Tracer().trace(json)
        #expect(expected.count == 4)
        #expect(Tracer().trace(list) == expected)
        for cut in 0..<list.count {
            let trace = Tracer().trace(Array(list[..<cut]))
            // What follows the object in its envelope is nothing that anybody needs.
            if cut == 0 || cut == list.count - 4 || cut == list.count - 2 { continue }
            #expect(trace.last?.hasPrefix("failure truncated") == true, "\(cut)")
            #expect(!trace.contains { $0.hasPrefix("list") })
        }
    }

    @Test func `reads one Node and a refusal`() throws {
        for json in [
            node("a", images: "[\(image("x", 1))]"),
            #"{"kind":"Status","apiVersion":"v1","metadata":{"continue":"t"},"status":"Failure","message":"m","reason":"Timeout","details":{"name":"n","kind":"k","causes":[{"reason":"ResourceVersionTooLarge"},{"reason":"other"}],"retryAfterSeconds":1},"code":504}"#,
        ] {
            let expected = Tracer().trace(json)
            #expect(try Tracer().trace(body(json)) == expected)
        }
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:01Z", 951_825_601),
        ("9999-12-31T23:59:59Z", 253_402_300_799), ("0001-01-01T00:00:00Z", -62_135_596_800),
    ])
    func `writes times as JSON does`(text: String, seconds: Int) throws {
        let stream = try frame("ADDED", node("a").replacing("2026-11-23T01:37:17Z", with: text))
        #expect(Tracer().trace(stream)[0].contains("created=\(text)"))
        #expect(Timestamp.seconds(text) == seconds)
    }

    @Test func `says which node it cannot use and why, and goes on`() throws {
        func rejected(_ field: (inout ProtobufText) -> Void) throws -> String {
            var text = ProtobufText()
            text.watchEvent("ADDED") {
                $0.unknown(apiVersion: "v1", kind: "Node") {
                    $0.message(1) {
                        $0.string(1, "a")
                        $0.string(6, "7")
                    }
                    field(&$0)
                }
            }
            let trace = Tracer().trace(text.bytes + (try frame("ADDED", node("b"))))
            #expect(trace.count == 3 && trace[1].hasPrefix("added b"))
            return trace[0]
        }
        func inStatus(_ field: @escaping (inout ProtobufText) -> Void) throws -> String {
            try rejected { $0.message(3, field) }
        }
        let who = "rejected a@7: "
        #expect(
            try inStatus { $0.bytes += [0x42, 0x7f] }
                == who + "malformed protobuf in status: a length beyond the end")
        #expect(
            try inStatus { $0.bytes += [0x44] }
                == who + "malformed protobuf in status: a tag of no known type")
        #expect(
            try inStatus { $0.bytes += [UInt8](repeating: 0xff, count: 12) }
                == who + "malformed protobuf in status: a tag that does not end")
        #expect(
            try inStatus { $0.number(8, 1) }
                == who + "malformed protobuf: status.images has wire type 0, not 2")
        #expect(
            try inStatus { $0.message(8) { $0.number(2, -5) } }
                == who + "status.images[0].sizeBytes -5 is not an integer from 0 to 2^63-1")
        #expect(
            try inStatus { $0.message(8) { $0.raw(1, [0xc0, 0x80]) } }
                == who + "status.images[0].names holds one that is not UTF-8")
        #expect(
            try inStatus { $0.message(7) { $0.raw(3, [0xed, 0xa0, 0x80]) } }
                == who + "status.nodeInfo.bootID is not UTF-8")
        #expect(
            try rejected { $0.message(1) { $0.time(8, 300_000_000_000) } }
                == who
                + "metadata.creationTimestamp is 300000000000 s from 1970, beyond the years of "
                + "RFC 3339")
    }

    @Test func `bounds what it keeps, by name`() throws {
        var tracer = Tracer()
        tracer.limits.max_object_bytes = 400
        let big = node("big", images: "[\(image(String(repeating: "x", count: 500), 1))]")
        let trace = try tracer.trace(
            frame("MODIFIED", big) + frame("ADDED", node("b")), chunk: 64)
        #expect(
            trace[0] == "rejected big@7: an object of more than 400 bytes (max_object_bytes)")
        #expect(trace[1].hasPrefix("added b"))
        let list = try tracer.trace(
            body(#"{"kind":"NodeList","apiVersion":"v1","items":[\#(big),\#(node("b"))]}"#))
        #expect(list[0].hasPrefix("rejected big@7") && list[1].hasPrefix("added b"))
        #expect(
            tracer.trace([0x00, 0xff, 0, 0]) == [
                "failure limit: a message of 16711680 bytes, over the limit of 400 "
                    + "(max_object_bytes) at byte 4"
            ])
        tracer.limits.max_images_per_node = 1
        tracer.limits.max_image_name_bytes = 8
        #expect(
            try tracer.trace(
                frame("ADDED", node("a", images: "[\(image("x", 1)),\(image("y", 1))]")))[0]
                == "rejected a@7: status.images has more than 1 entries (max_images_per_node)")
        #expect(
            try tracer.trace(frame("ADDED", node("a", images: "[\(image("123456789", 1))]")))[0]
                == "rejected a@7: status.images[0].names holds one of 9 bytes, over the limit of 8 "
                + "(max_image_name_bytes)")
    }

    @Test func `refuses what is no Node, and what is no event`() throws {
        let pod = #"{"kind":"Status","apiVersion":"v1","message":"m"}"#
        #expect(
            try Tracer().trace(frame("ADDED", pod))[0]
                == "rejected @: expected a Node, got a Status")
        #expect(
            Tracer().trace([0, 0, 0, 0]) == ["rejected @: a watch event without an object", "end"])
        #expect(
            Tracer().trace([0, 0, 0, 2, 0x0a, 0x05])[0]
                == "failure syntax: malformed watch event before: a length beyond the end at byte 6"
        )
        var text = ProtobufText()
        text.unknown(apiVersion: "v1", kind: "PodList") { $0.number(9, 1) }
        #expect(
            Tracer().trace(text.bytes)[0].hasPrefix(
                "failure syntax: expected a NodeList, got a PodList at byte"))
        #expect(
            Tracer().trace([0x6b, 0x38, 0x73, 0, 0x12, 0])[0].hasPrefix(
                "failure syntax: malformed protobuf: an object before its kind"))
        var whole = Tracer()
        whole.wholeObjects = true
        #expect(whole.trace([0, 0, 0, 0])[0].hasPrefix("failure contentType: protobuf where"))
    }

    /// Ids and fingerprints are of what is said, not of how: a stream that resumes in the other
    /// format tells of nothing new.
    @Test func `knows an image of the other format again`() throws {
        let text = node("a", images: "[\(image("x@sha256:1", 1)),\(image("y", 2))]")
        let bodies = [
            Array("{\"type\":\"ADDED\",\"object\":\(text)}".utf8), try frame("ADDED", text),
        ]
        var options = plm_client_options()
        let client = plm_client_create(&options)!
        defer { plm_client_destroy(client) }
        var fingerprints: Set<UInt64> = []
        for body in bodies + bodies.reversed() {
            var projection = plm_projection()
            let decoder = plm_decoder_create(client, &projection)!
            defer { plm_decoder_destroy(decoder) }
            var batch = plm_batch()
            _ = body.withUnsafeBytes {
                plm_decoder_feed(
                    decoder, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count, &batch)
            }
            fingerprints.insert(batch.events![batch.count - 1].node.fingerprint)
        }
        #expect(fingerprints.count == 1)
        #expect(plm_client_image_count(client) == 2)
    }
}

// One at a time and yielding, as the scanners' tests.
@Suite("Protobuf: generated", .serialized)
struct GeneratedProtobufTests {
    @Test(arguments: 0..<(Tracer.isSlow ? 2 : 20))
    func `reads 100,000 nodes as in JSON`(seed: Int) async {
        var nodes = TypedNodes(seed: UInt64(seed))
        for round in 0..<(Tracer.isSlow ? 1 : 25) {
            let bodies = nodes.watch(200)
            let expected = Tracer().trace(bodies.json, scanner: .automatic)
            let chunk = [Int.max, 16384, 4096, 1000, 61][round % 5]
            var tracer = Tracer()
            #expect(tracer.trace(bodies.protobuf, chunk: chunk) == expected)
            #expect(expected.filter { $0.contains("images[") }.count > 150)
            tracer.repeats = 2
            let again = tracer.trace(bodies.protobuf, chunk: chunk)
            #expect(again.dropFirst(expected.count) == expected[...])
            await Task.yield()
        }
    }
}

@Suite(
    "Protobuf: as a real server writes it",
    .enabled(
        if: !Checkout.recorded("captures", suffix: ".body.pb").isEmpty,
        "no recorded traffic beside this checkout"))
struct RecordedProtobufTests {
    private func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: Checkout.shared.appending(path: "captures/\(name)")))
    }

    /// What the tests and the simulator write is what a server writes, byte for byte.
    @Test func `is written alike from JSON`() throws {
        let list = try JSONValue(parsing: bytes("list-rv0.body.json"))
        var text = ProtobufText()
        _ = text.body(list)
        #expect(try text.bytes == bytes("list-protobuf.body.pb"))
        var watch = ProtobufText()
        for line in try bytes("watch-live.body.json").split(separator: UInt8(ascii: "\n")) {
            let event = try JSONValue(parsing: Array(line))
            if event["type"] == "BOOKMARK" { continue }
            let object = try #require(event["object"])
            watch.watchEvent(event["type"]?.string ?? "") { _ = $0.body(object) }
        }
        #expect(try watch.bytes == bytes("watch-live-protobuf.body.pb"))
        let expired = try JSONValue(parsing: bytes("watch-expired.body.json"))
        var status = ProtobufText()
        status.watchEvent("ERROR") { _ = $0.body(expired["object"] ?? .null) }
        #expect(try status.bytes == bytes("watch-expired-protobuf.body.pb"))
    }
}
