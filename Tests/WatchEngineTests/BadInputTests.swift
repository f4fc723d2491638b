import Testing
import WatchEngine

@Suite("Decoder: bad input")
struct BadInputTests {
    private func node(_ rest: String) -> String {
        #"{"type":"ADDED","object":{"metadata":{"name":"n","resourceVersion":"5"},\#(rest)}}"#
    }

    @Test(arguments: [
        (
            #""status":{"images":[{"sizeBytes":9223372036854775808}]}"#,
            "status.images[0].sizeBytes 9223372036854775808 is not an integer from 0 to 2^63-1"
        ),
        (
            #""status":{"images":[{},{"sizeBytes":-1}]}"#,
            "status.images[1].sizeBytes -1 is not an integer from 0 to 2^63-1"
        ),
        (
            #""status":{"images":[{"sizeBytes":1.5}]}"#,
            "status.images[0].sizeBytes 1.5 is not an integer from 0 to 2^63-1"
        ),
        (
            #""status":{"images":[{"sizeBytes":"7"}]}"#,
            "status.images[0].sizeBytes is a string, not a number"
        ),
        (
            #""status":{"images":[{"names":[1]}]}"#,
            "status.images[0].names holds a number, not a string"
        ),
        (
            #""status":{"images":[{"names":"x"}]}"#,
            "status.images[0].names is a string, not an array"
        ),
        (#""status":{"images":[7]}"#, "status.images[0] is a number, not an object"),
        (
            #""status":{"images":{}}"#,
            "status.images is an object, which the Node API does not allow"
        ),
        (#""status":[]"#, "status is an array, which the Node API does not allow"),
        (
            #""spec":{"unschedulable":"yes"}"#,
            "spec.unschedulable is a string, which the Node API does not allow"
        ),
        (#""kind":"Pod""#, "expected a Node, got a Pod"),
    ])
    func `rejects one object and goes on`(fields: String, reason: String) {
        let body = node(fields) + #"{"type":"ADDED","object":{"metadata":{"name":"next"}}}"#
        #expect(Tracer().trace(body) == ["rejected n@5: \(reason)", "added next@", "end"])
        #expect(Tracer().trace(body, chunk: 1) == Tracer().trace(body))
    }

    @Test func `rejects a node without a name and an event without an object`() {
        #expect(
            Tracer().trace(#"{"type":"ADDED","object":{"metadata":{}}}{"type":"ADDED"}"#) == [
                "rejected @: metadata.name is missing",
                "rejected @: a watch event without an object", "end",
            ])
        #expect(
            Tracer().trace(#"{"items":[null,{"metadata":{"name":"a"}}],"kind":"NodeList"}"#) == [
                "added a@", "rejected @: items holds null, not an object", "end",
            ])
    }

    @Test func `marks a sum beyond 64 bits without dropping the node`() {
        let size = Int64.max
        let body = node(#""status":{"images":[{"sizeBytes":\#(size)},{"sizeBytes":1}]}"#)
        #expect(Tracer().trace(body)[0] == "added n@5 images[=\(size), =1]=overflow")
    }

    @Test(arguments: [1, 7, 1000, 100_000])
    func `drops an oversized object and reads the next, in a watch and in a list`(chunk: Int) {
        var tracer = Tracer()
        tracer.limits.max_object_bytes = 300
        let big = String(repeating: "x{\\\"", count: 200)
        let object =
            #"{"metadata":{"name":"n","resourceVersion":"5"},"spec":{"podCIDR":"\#(big)"}}"#
        let small = #"{"metadata":{"name":"next"}}"#
        let reason = "rejected n@5: an object of more than 300 bytes (max_object_bytes)"
        let watch = tracer.trace(
            #"{"type":"ADDED","object":\#(object)}{"type":"ADDED","object":\#(small)}"#,
            chunk: chunk)
        let list = tracer.trace(#"{"items":[\#(object),\#(small)],"kind":"List"}"#, chunk: chunk)
        #expect(watch == [reason, "added next@", "end"])
        #expect(list == [reason, "added next@", "list ", "end"])
    }

    @Test func `enforces every bound by its name`() {
        var tracer = Tracer()
        tracer.limits.max_images_per_node = 2
        #expect(
            tracer.trace(node(#""status":{"images":[{},{},{}]}"#))[0]
                == "rejected n@5: status.images has more than 2 entries (max_images_per_node)")
        tracer = Tracer()
        tracer.limits.max_image_name_bytes = 3
        #expect(
            tracer.trace(node(#""status":{"images":[{"names":["long"]}]}"#))[0].contains(
                "over the limit of 3 (max_image_name_bytes)"))
        tracer = Tracer()
        tracer.limits.max_node_name_bytes = 2
        #expect(
            tracer.trace(#"{"type":"ADDED","object":{"metadata":{"name":"abc"}}}"#)[0]
                == "rejected abc@: metadata.name has 3 bytes, over the limit of 2 "
                + "(max_node_name_bytes)")
        tracer = Tracer()
        tracer.limits.max_images = 1
        #expect(
            tracer.trace(node(#""status":{"images":[{"sizeBytes":1},{"sizeBytes":2}]}"#)).last
                == "failure limit: more than 1 distinct images in this cluster (max_images)")
        let deep = String(repeating: "[", count: 300)
        #expect(
            Tracer().trace(node("\"x\":" + deep)).last!.hasPrefix(
                "failure limit: nested more than 200 deep"))
        tracer = Tracer()
        tracer.limits.max_object_bytes = 100
        let long = String(repeating: "x", count: 200)
        #expect(
            tracer.trace(#"{"kind":"NodeList","metadata":{"continue":"\#(long)""#, chunk: 8).last!
                .hasPrefix("failure limit: an object of more than 100 bytes (max_object_bytes)"))
    }

    @Test func `says where JSON is malformed, and in which node`() {
        let body = node(#""spec":{"a":tru}"#)
        let trace = Tracer().trace(body)
        #expect(
            trace == [
                "failure syntax: malformed JSON at byte 87, in node n: lexical error: "
                    + "invalid string in json text."
            ])
        #expect(Tracer().trace(body, chunk: 1) == trace)
        let invalid = Array(#"{"type":"ADDED","object":{"metadata":{"name":""#.utf8) + [0xff, 0x22]
        #expect(
            Tracer().trace(invalid)[0].hasPrefix("failure syntax: malformed JSON at byte 47: "))
    }

    @Test func `refuses what is no JSON of a kube-apiserver`() {
        #expect(
            Tracer().trace("<!DOCTYPE html>\n<html>") == [
                "failure contentType: not JSON from a kube-apiserver (it begins with "
                    + "\"<!DOCTYPE html>.<html>\") at byte 0"
            ])
        #expect(
            Tracer().trace(#"{"kind":"PodList","items":[{"metadata":{"name":"p"}}]}"#)[0]
                == "failure syntax: expected Nodes, got a PodList at byte 52")
        #expect(Tracer().trace("{}")[0].hasPrefix("failure syntax: expected a watch event"))
        #expect(Tracer().trace("[1]")[0].hasPrefix("failure contentType: "))
        #expect(
            Tracer().trace(#"{"kind":"NodeList","items":[]}{}"#).last!.hasPrefix(
                "failure syntax: a second object after the whole answer"))
        #expect(
            Tracer().trace(#"{"type":"ADDED","object":{]}"#)[0].hasPrefix("failure syntax: "))
    }

    @Test func `never takes a truncated list for a whole one`() {
        let list =
            #"{"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":[{"metadata":{}}]}"#
        let bytes = Array(list.utf8)
        for cut in 1..<bytes.count {
            let trace = Tracer().trace(Array(bytes[..<cut]))
            #expect(trace.last!.hasPrefix("failure truncated"))
            #expect(!trace.contains { $0.hasPrefix("list") })
        }
    }
}
