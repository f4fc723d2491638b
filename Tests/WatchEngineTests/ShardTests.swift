import ObjectEncoding
import Testing
import WatchEngine

@Suite("Decoder: shards")
struct ShardTests {
    /// Four equal parts.
    private static let parts: [plm_shard] = (0..<4).map { (index: UInt64) in
        plm_shard(first: index << 62, last: index << 62 | (1 << 62 - 1))
    }

    private func lines(_ trace: [String]) -> [String] {
        trace.filter {
            $0.hasPrefix("added") || $0.hasPrefix("modified") || $0.hasPrefix("deleted")
        }
    }

    @Test func `gives every node to one shard, and the others its version`() {
        var nodes = TypedNodes(seed: 7)
        let bodies = nodes.watch(300)
        let all = Tracer().trace(bodies.json)
        for body in [bodies.json, bodies.protobuf] {
            var found: [String] = []
            for part in Self.parts {
                var tracer = Tracer()
                tracer.shard = part
                // Every scanner is compared with the strict decoder in there.
                let trace = tracer.trace(body, chunk: 4096)
                let own = lines(trace)
                #expect(own.count > 0)
                #expect(trace.filter { $0.hasPrefix("skipped @") }.count == 300 - own.count)
                found += own
            }
            #expect(found.sorted() == lines(all).sorted())
        }
    }

    /// As the API server's: the published test values of FNV-1a.
    @Test(arguments: [("a", 0xaf63_dc4c_8601_ec8c as UInt64), ("foobar", 0x8594_4171_f739_67e8)])
    func `goes by FNV-1a of the uid`(uid: String, hash: UInt64) {
        let body =
            #"{"type":"ADDED","object":{"metadata":{"name":"n","uid":"\#(uid)","resourceVersion":"3"}}}"#
        var tracer = Tracer()
        tracer.shard = plm_shard(first: hash, last: hash)
        #expect(tracer.trace(body)[0].hasPrefix("added n@3"))
        tracer.shard = plm_shard(first: hash + 1, last: .max)
        #expect(tracer.trace(body)[0] == "skipped @3")
        tracer.wholeObjects = true
        #expect(tracer.trace(body)[0] == "skipped @3")
    }
}
