import Foundation
import Testing
import WatchEngine

/// Counts allocations and refuses the one numbered `refused` and all after it.
private final class Ration {
    var left: Int
    var live = 0

    init(_ left: Int) { self.left = left }

    func take() -> Bool {
        left -= 1
        return left >= 0
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> Ration {
        Unmanaged<Ration>.fromOpaque(context!).takeUnretainedValue()
    }
}

@Suite("Engine: memory")
struct MemoryTests {
    /// Decodes a body with so many allocations allowed. Returns the failure, if any.
    private func decode(
        _ body: [UInt8], allowing allocations: Int, _ wholeObjects: Bool
    ) -> (created: Bool, failure: plm_failure_kind?) {
        let ration = Ration(allocations)
        var allocator = plm_allocator(
            allocate: { context, bytes in
                guard Ration.of(context).take() else { return nil }
                Ration.of(context).live += 1
                return malloc(bytes)
            },
            reallocate: { context, memory, bytes in
                guard Ration.of(context).take() else { return nil }
                if memory == nil { Ration.of(context).live += 1 }
                return realloc(memory, bytes)
            },
            deallocate: { context, memory in
                Ration.of(context).live -= 1
                free(memory)
            },
            context: Unmanaged.passUnretained(ration).toOpaque())
        defer { #expect(ration.live == 0, "\(ration.live) left after \(allocations) allocations") }

        return withUnsafePointer(to: &allocator) { allocator in
            var options = plm_client_options()
            options.allocator = allocator
            guard let client = plm_client_create(&options) else { return (false, nil) }
            defer { plm_client_destroy(client) }
            var projection = plm_projection()
            projection.whole_objects = wholeObjects
            guard let decoder = plm_decoder_create(client, &projection) else { return (false, nil) }
            defer { plm_decoder_destroy(decoder) }
            var batch = plm_batch()
            for byte in body {
                var copy = CChar(bitPattern: byte)
                if !plm_decoder_feed(decoder, &copy, 1, &batch) {
                    let last = batch.events![batch.count - 1]
                    return (true, last.kind == .failure ? last.failure.kind : nil)
                }
            }
            return (true, nil)
        }
    }

    enum Body: CaseIterable { case json, wholeObjects, protobuf }

    @Test(arguments: Body.allCases)
    func `survives any allocation that fails, with an error and no leak`(body: Body) throws {
        let bytes = body == .protobuf ? try protobufSample() : Array(sampleWatch.utf8)
        var allowed = 0
        while true {
            let (created, failure) = decode(bytes, allowing: allowed, body == .wholeObjects)
            if created && failure == nil { break }
            if created { #expect(failure == .memory) }
            allowed += 1
            #expect(allowed < 5000)
            if allowed >= 5000 { break }
        }
        #expect(allowed > 10)
    }

    @Test func `gives back images that nobody holds, however many there ever were`() {
        let bytes = LiveBytes()
        var allocator = plm_allocator(
            allocate: { LiveBytes.of($0).add(malloc($1), $1) },
            reallocate: { context, memory, count in
                LiveBytes.of(context).remove(memory)
                return LiveBytes.of(context).add(realloc(memory, count), count)
            },
            deallocate: { context, memory in
                LiveBytes.of(context).remove(memory)
                free(memory)
            },
            context: Unmanaged.passUnretained(bytes).toOpaque())
        withUnsafePointer(to: &allocator) { allocator in
            var options = plm_client_options()
            options.allocator = allocator
            let client = plm_client_create(&options)!
            var projection = plm_projection()
            let decoder = plm_decoder_create(client, &projection)!
            var batch = plm_batch()
            var highest: UInt32 = 0
            var early = 0
            let rounds = Tracer.isSlow ? 100 : 1_500
            for round in 0..<rounds {
                let images = (0..<50).map { index in
                    let name = "registry.example/churn/app@sha256:\(round * 50 + index)"
                    return #"{"names":["\#(name)"],"sizeBytes":\#(index)}"#
                }
                let body = Array(
                    #"""
                    {"type":"MODIFIED","object":{"kind":"Node","metadata":{"name":"n"},"status":{"images":[\#(
                        images.joined(separator: ","))]}}}

                    """#.utf8CString.dropLast())
                _ = plm_decoder_feed(decoder, body, body.count, &batch)
                let events = UnsafeBufferPointer(start: batch.events, count: batch.count)
                #expect(events.last?.kind == .modified)
                let ids = events.filter { $0.kind == .image }.map(\.image.id)
                #expect(ids.count == 50)
                highest = max(highest, ids.max() ?? 0)
                plm_client_retire_images(client, ids, ids.count)
                if round == rounds / 2 { early = bytes.live }
            }
            #expect(highest < 50)
            #expect(plm_client_image_count(client) == 0)
            // What is known by its bytes has a bound of its own, 8 MiB and its index.
            #expect(bytes.live < early + (12 << 20) && bytes.live < 16 << 20, "\(bytes.live) B")
            plm_decoder_destroy(decoder)
            plm_client_destroy(client)
        }
        #expect(bytes.live == 0)
    }
}

/// Counts the bytes that are allocated.
private final class LiveBytes {
    private(set) var live = 0
    private var sizes: [UnsafeMutableRawPointer: Int] = [:]

    static func of(_ context: UnsafeMutableRawPointer?) -> LiveBytes {
        Unmanaged<LiveBytes>.fromOpaque(context!).takeUnretainedValue()
    }

    func add(_ memory: UnsafeMutableRawPointer?, _ count: Int) -> UnsafeMutableRawPointer? {
        if let memory {
            sizes[memory] = count
            live += count
        }
        return memory
    }

    func remove(_ memory: UnsafeMutableRawPointer?) {
        if let memory { live -= sizes.removeValue(forKey: memory) ?? 0 }
    }
}
