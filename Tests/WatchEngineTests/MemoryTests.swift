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
    /// Decodes the sample with so many allocations allowed. Returns the failure, if any.
    private func decode(
        allowing allocations: Int, _ wholeObjects: Bool
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
            let bytes = Array(sampleWatch.utf8)
            var batch = plm_batch()
            for byte in bytes {
                var copy = CChar(bitPattern: byte)
                if !plm_decoder_feed(decoder, &copy, 1, &batch) {
                    let last = batch.events![batch.count - 1]
                    return (true, last.kind == .failure ? last.failure.kind : nil)
                }
            }
            return (true, nil)
        }
    }

    @Test(arguments: [false, true])
    func `survives any allocation that fails, with an error and no leak`(wholeObjects: Bool) {
        var allowed = 0
        while true {
            let (created, failure) = decode(allowing: allowed, wholeObjects)
            if created && failure == nil { break }
            if created { #expect(failure == .memory) }
            allowed += 1
            #expect(allowed < 5000)
            if allowed >= 5000 { break }
        }
        #expect(allowed > 10)
    }
}
