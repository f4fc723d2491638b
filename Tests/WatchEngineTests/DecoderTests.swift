import Testing
import WatchEngine

/// A watch stream with everything the projection keeps, and much that it does not.
let sampleWatch = #"""
    {"type":"ADDED","object":{"kind":"Node","apiVersion":"v1","metadata":{"name":"n1","uid":"u-1",
    "resourceVersion":"10","creationTimestamp":"2026-01-02T03:04:05Z","labels":{"pool":"gpu",
    "old-zone":"z-old","zone":"z-new","x":"y"},"annotations":
    {"last":"{\"kind\":\"Node\",\"status\":{\"images\":[{\"sizeBytes\":5}]}}"},"managedFields":[{"fieldsV1":{"f:status":{"f:images":{}}}}]},
    "spec":{"unschedulable":true,"podCIDR":"10.0.0.0/24"},"status":{"capacity":{"cpu":"4",
    "ephemeral-storage":"100Ki"},"allocatable":{"ephemeral-storage":"90"},"conditions":[{"type":
    "DiskPressure","status":"True"},{"status":"False","type":"Ready"},{"type":"Other","status":
    "True"}],"nodeInfo":{"bootID":"b-1","containerRuntimeVersion":"containerd://1","kubeletVersion":
    "v1.36"},"images":[{"names":["a@sha256:1","a:1"],"sizeBytes":70},{"names":["b:1"],"sizeBytes":
    9007199254740993},{"names":null},{"sizeBytes":3}]}}}
    {"type":"MODIFIED","object":{"kind":"Node","metadata":{"name":"n1","resourceVersion":"11"},
    "status":{"images":[{"names":["a@sha256:1","a:1"],"sizeBytes":70}]}}}
    {"type":"BOOKMARK","object":{"kind":"Node","metadata":{"resourceVersion":"12","annotations":
    {"k8s.io/initial-events-end":"true"}},"spec":{},"status":{"nodeInfo":{"bootID":""}}}}
    {"type":"BOOKMARK","object":{"kind":"Node","metadata":{"resourceVersion":"13","annotations":
    {"k8s.io/initial-events-end":"false"}}}}
    {"type":"DELETED","object":{"kind":"Node","metadata":{"name":"n1","resourceVersion":"14"}}}
    {"type":"NEW","object":{"kind":"Node","metadata":{"name":"n1","resourceVersion":"15"}}}
    {"type":"ERROR","object":{"kind":"Status","metadata":{},"status":"Failure","message":"too old",
    "reason":"Expired","code":410,"details":{"retryAfterSeconds":2,"causes":[{"reason":"R",
    "message":"m"},{"reason":"S"}]}}}

    """#

let sampleTrace = [
    "added n1@10 uid=u-1 created=2026-01-02T03:04:05Z label0=gpu label1=z-new capacity=100Ki "
        + "allocatable=90 runtime=containerd://1 kubelet=v1.36 boot=b-1 ready=false "
        + "pressure=true cordoned images[a@sha256:1|a:1=70, b:1=9007199254740993, =0, =3]"
        + "=9007199254741066",
    "modified n1@11 images[a@sha256:1|a:1=70]=70",
    "bookmark 12 initial-events-end",
    "bookmark 13",
    "deleted n1@14",
    "unknown NEW",
    "status 410 Expired: too old cause=R retry=2 (in stream)",
    "end",
]

@Suite("Decoder")
struct DecoderTests {
    @Test func `reads a watch stream by path, whatever else stands in it`() {
        #expect(Tracer().trace(sampleWatch) == sampleTrace)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 4096])
    func `gives the same events however the bytes are cut`(chunk: Int) {
        #expect(Tracer().trace(sampleWatch, chunk: chunk) == sampleTrace)
    }

    @Test func `yields only whole events of a stream cut at any byte`() {
        let bytes = Array(sampleWatch.utf8)
        for cut in 0...bytes.count {
            var trace = Tracer().trace(Array(bytes[..<cut]), finish: false)
            #expect(trace == Array(sampleTrace.prefix(trace.count)))
            let whole = trace.count
            trace = Tracer().trace(Array(bytes[..<cut]))
            #expect(trace.count == whole + 1)
            if whole > 0 { #expect(trace.last!.hasPrefix("end")) }
        }
    }

    @Test func `takes keys in any order`() {
        let body = #"""
            {"object":{"status":{"images":[{"sizeBytes":4,"names":["a"]}]},"metadata":
            {"resourceVersion":"5","name":"n"},"kind":"Node"},"type":"ADDED"}
            """#
        #expect(Tracer().trace(body) == ["added n@5 images[a=4]=4", "end"])
    }

    @Test func `takes the last of equal keys and decodes escapes in keys and values`() {
        let body = #"""
            {"type":"MODIFIED","\u0074ype":"ADDED","object":{"metadata":{"name":"no"}},"\u006fbject":
            {"metadata":{"name":"x","n\u0061me":"\u006e\u00e9"},"status":{"images":[{"names":["z"],
            "names":["\"q\\\u2028\ud83d\ude00"],"sizeBytes":1,"sizeBytes":2}]}}}
            """#
        #expect(
            Tracer().trace(body) == ["added né@ images[\"q\\\u{2028}😀=2]=2", "end"])
    }

    @Test func `tells an absent, a null and an empty image list apart`() {
        func images(_ status: String) -> String {
            Tracer().trace(
                #"{"type":"ADDED","object":{"metadata":{"name":"n"},"status":\#(status)}}"#)[0]
        }
        #expect(images(#"{}"#) == "added n@")
        #expect(images(#"{"images":null}"#) == "added n@")
        #expect(images(#"{"images":[]}"#) == "added n@ images[]=0")
        #expect(images(#"null"#) == "added n@")
    }

    @Test(arguments: ["NodeList", "List"])
    func `reads a list with its metadata before or after the items`(kind: String) {
        let items = #""items":[{"metadata":{"name":"a"}},{"kind":"Node","metadata":{"name":"b"}}]"#
        let meta = #""metadata":{"resourceVersion":"7","continue":"tok","remainingItemCount":3}"#
        let expected = ["added a@", "added b@", "list 7 continue=tok remaining=3", "end"]
        #expect(Tracer().trace("{\"kind\":\"\(kind)\",\(meta),\(items)}") == expected)
        #expect(Tracer().trace("{\(items),\(meta),\"kind\":\"\(kind)\"}") == expected)
    }

    @Test func `reads an empty list, one Node and one Status`() {
        #expect(
            Tracer().trace(#"{"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":null}"#)
                == ["list 7", "end"])
        #expect(
            Tracer().trace(#"{"kind":"Node","metadata":{"name":"a","resourceVersion":"3"}}"#)
                == ["added a@3", "end"])
        #expect(
            Tracer().trace(
                #"{"kind":"Status","status":"Failure","reason":"Forbidden","message":"m","code":403}"#
            )
                == ["status 403 Forbidden: m", "end"])
    }

    @Test func `defines an image once, whichever way it is spelt`() {
        let body = #"""
            {"type":"ADDED","object":{"metadata":{"name":"a"},"status":{"images":[{"names":["i:1"],
            "sizeBytes":1}]}}}
            {"type":"ADDED","object":{"metadata":{"name":"b"},"status":{"images":[ {"sizeBytes":1,
            "names" : ["\u0069:1"]}, {"names":["i:1"],"sizeBytes":2}]}}}
            """#
        // The tracer stops the test where an id is defined twice.
        #expect(
            Tracer().trace(body) == [
                "added a@ images[i:1=1]=1", "added b@ images[i:1=1, i:1=2]=3", "end",
            ])
    }
}
