import Testing
import WatchEngine

/// What is skipped and what is found by its bytes must not change what is read. `Tracer` compares every
/// scanner with the strict decoder.
// One at a time and yielding: others wait for the same few threads, some with a time limit.
@Suite("Decoder: every way to decode", .serialized)
struct ScannerTests {
    @Test func `has a scanner of this machine beside the plain one`() {
        #expect(Tracer.scanners.count >= 2)
        #expect(plm_scanner_is_available(.automatic))
    }

    @Test func `refuses a scanner that this machine lacks`() {
        for scanner in [plm_scanner.scalar, .sse2, .avx2, .neon]
        where !Tracer.scanners.contains(scanner) {
            var options = plm_client_options()
            let client = plm_client_create(&options)!
            defer { plm_client_destroy(client) }
            var projection = plm_projection()
            projection.scanner = scanner
            #expect(plm_decoder_create(client, &projection) == nil)
        }
    }

    /// Of 200 nodes each.
    private static let rounds = Tracer.isSlow ? 1 : 25

    @Test(arguments: 0..<(Tracer.isSlow ? 3 : 20))
    func `reads 100,000 generated nodes alike`(seed: Int) async {
        var nodes = GeneratedNodes(seed: UInt64(seed))
        var nodeCount = 0
        for round in 0..<Self.rounds {
            let body =
                round % 5 == 0 ? nodes.list(200) : nodes.watchEvents(200)
            var tracer = Tracer()
            tracer.repeats = 2
            let chunk = [Int.max, 16384, 4096, 1000, 61][round % 5]
            let trace = tracer.trace(body, chunk: chunk)
            nodeCount += trace.filter { !$0.hasPrefix("rejected") }.count
            await Task.yield()
        }
        #expect(nodeCount > 200 * Self.rounds)
    }

    @Test func `reads them alike however they are cut`() async {
        var nodes = GeneratedNodes(seed: 99)
        let body = nodes.watchEvents(3)
        var tracer = Tracer()
        tracer.repeats = 2
        for chunk in stride(from: 1, through: 300, by: Tracer.isSlow ? 29 : 1) {
            _ = tracer.trace(body, chunk: chunk)
            await Task.yield()
        }
    }

    @Test func `finds an image again after it was retired`() {
        let node =
            #"{"kind":"Node","metadata":{"name":"n"},"status":{"images":[{"names":["a:1"],"sizeBytes":5}]}}"#
        var options = plm_client_options()
        let client = plm_client_create(&options)!
        defer { plm_client_destroy(client) }
        var projection = plm_projection()
        var ids: [UInt32] = []
        for _ in 0..<3 {
            let decoder = plm_decoder_create(client, &projection)!
            defer { plm_decoder_destroy(decoder) }
            var batch = plm_batch()
            let body = Array("{\"type\":\"ADDED\",\"object\":\(node)}\n".utf8CString.dropLast())
            _ = plm_decoder_feed(decoder, body, body.count, &batch)
            let events = UnsafeBufferPointer(start: batch.events, count: batch.count)
            #expect(events.map(\.kind) == [.image, .added])
            ids.append(events[0].image.id)
            plm_client_retire_images(client, [events[0].image.id], 1)
        }
        #expect(ids == [0, 0, 0])
    }
}
