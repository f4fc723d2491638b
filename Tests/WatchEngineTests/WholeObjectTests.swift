import Testing
import WatchEngine

/// Objects of any kind, with words of envelopes, nodes and Statuses where those mean nothing.
private let objects = [
    #"{"kind":"Secret","metadata":{"name":"s","namespace":"ns","uid":"u","resourceVersion":"7"},"#
        + #""type":"Opaque","items":["x"],"object":"y","status":[1],"spec":"no","reason":5,"#
        + #""details":[],"code":"c"}"#,
    #"{"metadata":{"namespace":"ns","name":"é\"\u2028}]","resourceVersion":"8","#
        + #""labels":[1]},"spec":{"a":[{"b":{"items":[{}]}}]}}"#,
    #"{"metadata":{"name":"cluster-wide","resourceVersion":"9"},"status":{"images":{}}}"#,
]

private let lines = [
    "added ns/s@7 \(objects[0])", "modified ns/é\"\u{2028}}]@8 \(objects[1])",
    "deleted cluster-wide@9 \(objects[2])",
]

@Suite("Decoder of whole objects")
struct WholeObjectTests {
    private let tracer = Tracer(wholeObjects: true)

    private var watch: String {
        """
        {"type":"ADDED","object":\(objects[0])}
        {"object": \(objects[1]), "type":"MODIFIED"}
        {"type":"DELETED","object":\(objects[2])}
        {"type":"BOOKMARK","object":{"kind":"Secret","metadata":{"resourceVersion":"12",
        "annotations":{"k8s.io/initial-events-end":"true"}}}}
        {"type":"ERROR","object":{"kind":"Status","message":"too old","reason":"Expired","code":410}}

        """
    }

    @Test(arguments: [Int.max, 1, 2, 3, 7, 64])
    func `hands objects over byte for byte, however the stream is cut`(chunk: Int) {
        #expect(
            tracer.trace(watch, chunk: chunk)
                == lines + [
                    "bookmark 12 initial-events-end",
                    "status 410 Expired: too old (in stream)", "end",
                ])
    }

    @Test(arguments: [Int.max, 1, 5])
    func `hands the items of any list over`(chunk: Int) {
        let list =
            #"{"kind":"SecretList","items":[\#(objects.joined(separator: ", "))],"#
            + #""metadata":{"resourceVersion":"20","continue":"c"}}"#
        let trace = tracer.trace(list, chunk: chunk)
        #expect(
            trace.dropLast(2).map { $0.split(separator: " ", maxSplits: 1)[1] }
                == lines.map { $0.split(separator: " ", maxSplits: 1)[1] })
        #expect(trace.suffix(2) == ["list 20 continue=c", "end"])
    }

    @Test func `yields only whole objects of a stream cut at any byte`() {
        let bytes = Array(watch.utf8)
        let whole = tracer.trace(watch)
        for cut in 0...bytes.count {
            let trace = tracer.trace(Array(bytes[..<cut]), finish: false)
            #expect(trace == Array(whole.prefix(trace.count)))
        }
    }

    @Test func `rejects an object without a name, of a wrong name, or too large, and goes on`() {
        var tracer = tracer
        tracer.limits.max_object_bytes = 200
        let trace = tracer.trace(
            """
            {"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}
            {"type":"ADDED","object":{"metadata":{"name":5,"resourceVersion":"2"}}}
            {"type":"ADDED","object":{"metadata":{"name":"x","namespace":"ns","uid":[]}}}
            {"type":"ADDED","object":{"metadata":{"name":"big","resourceVersion":"3"},
            "data":"\(String(repeating: "x", count: 300))"}}
            {"type":"ADDED","object":{"metadata":{"name":"fine","resourceVersion":"4"}}}

            """, chunk: 64)
        #expect(
            trace == [
                "rejected @1: metadata.name is missing",
                "rejected @2: metadata.name is a number, which the API does not allow",
                "rejected ns/x@: metadata.uid is an array, which the API does not allow",
                "rejected big@3: an object of more than 200 bytes (max_object_bytes)",
                #"added fine@4 {"metadata":{"name":"fine","resourceVersion":"4"}}"#, "end",
            ])
    }

    @Test func `takes a Status for a refusal and nothing else for a list`() {
        #expect(
            tracer.trace(#"{"kind":"Status","code":403,"reason":"Forbidden","message":"no"}"#)
                == ["status 403 Forbidden: no", "end"])
        #expect(
            tracer.trace(#"{"kind":"Table","metadata":{},"items":[{"metadata":{"name":"x"}}]}"#)[0]
                .hasPrefix("failure"))
    }
}
