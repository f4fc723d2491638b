import Foundation
import TestSupport
import Testing
import WatchEngine

/// Recorded traffic of a real kube-apiserver, where it is present beside the checkout.
private let recorded =
    Checkout.recorded("captures", suffix: ".body.json")
    + Checkout.recorded("captures", suffix: ".body.pb")

private func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: Checkout.shared.appending(path: "captures/\(name)")))
}

@Suite(
    "Decoder: recorded traffic", .serialized,
    .enabled(if: !recorded.isEmpty, "no recorded traffic beside this checkout"))
struct CaptureTests {
    @Test(arguments: recorded)
    func `gives the same events in chunks of any size`(file: String) async throws {
        let body = try Array(Data(contentsOf: URL(filePath: file)))
        let whole = Tracer().trace(body)
        #expect(!whole.isEmpty)
        for chunk in [1, 2, 3, 7, 4096, 16384] {
            // A call for each byte of megabytes takes minutes under sanitizers.
            if Tracer.isSlow, body.count / chunk > 20_000 { continue }
            await Task.yield()
            #expect(Tracer().trace(body, chunk: chunk) == whole)
        }
    }

    /// Bookmarks of idle moments come when they come.
    @Test(arguments: [
        ("watchlist", "watchlist-protobuf"), ("list-rv0", "list-protobuf"),
        ("watch-live", "watch-live-protobuf"), ("watch-expired", "watch-expired-protobuf"),
    ])
    func `gives the same events in either wire format`(json: String, protobuf: String) throws {
        func events(_ name: String) throws -> [String] {
            try Tracer().trace(bytes(name)).filter { !$0.hasPrefix("bookmark") }
        }
        let expected = try events("\(json).body.json")
        #expect(try events("\(protobuf).body.pb") == expected)
        #expect(expected.count > 1)
    }

    /// A call for each of tens of thousands of places takes minutes under sanitizers.
    private func expectSameWhereverCut(_ body: [UInt8]) async {
        let whole = Tracer().trace(body)
        for cut in stride(from: 1, to: body.count, by: Tracer.isSlow ? 997 : 1) {
            if Tracer().trace(body, first: cut, scanner: .automatic) != whole {
                Issue.record("differs when it is cut at byte \(cut)")
                break
            }
            if cut.isMultiple(of: 256) { await Task.yield() }
        }
    }

    @Test(arguments: ["watch-live.body.json", "watch-live-protobuf.body.pb"])
    func `gives the same events wherever it is cut in two`(name: String) async throws {
        await expectSameWhereverCut(try bytes(name))
    }

    /// Of the large ones the beginning: each place costs the whole of it.
    @Test(arguments: recorded)
    func `gives the same events wherever its beginning is cut in two`(file: String) async throws {
        await expectSameWhereverCut(
            Array(try Data(contentsOf: URL(filePath: file)).prefix(16 << 10)))
    }

    @Test(arguments: recorded.filter { $0.contains("/watch") })
    func `takes nothing from an event that is not whole yet, at any byte`(file: String) throws {
        let body = try Array(Data(contentsOf: URL(filePath: file)))
        // A refusal is one object, no stream.
        guard let ends = Self.ends(of: body) else { return }
        var options = plm_client_options()
        let client = plm_client_create(&options)!
        defer { plm_client_destroy(client) }
        let decoder = Tracer().makeDecoder(client, .automatic)
        defer { plm_decoder_destroy(decoder) }
        var told = 0
        var next = 0
        for at in body.indices {
            if Tracer.isSlow, at > 200_000 { break }
            var batch = plm_batch()
            body.withUnsafeBytes {
                let start = $0.baseAddress!.assumingMemoryBound(to: CChar.self)
                _ = plm_decoder_feed(decoder, start + at, 1, &batch)
            }
            if next < ends.count, ends[next] == at + 1 { next += 1 }
            if batch.count == 0 { continue }
            told += UnsafeBufferPointer(start: batch.events, count: batch.count)
                .count { $0.kind != .image }
            #expect(told == next, "at byte \(at)")
            if told != next { return }
        }
        #expect(told == next && told > 0)
    }

    /// Where each event of a stream ends: by brackets outside of strings, or by the frames' lengths. Nil:
    /// it is none.
    private static func ends(of body: [UInt8]) -> [Int]? {
        var ends: [Int] = []
        if Tracer.isProtobuf(body) {
            guard body.first == 0 else { return nil }
            var at = 0
            while at + 4 <= body.count {
                at += 4 + body[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
                if at <= body.count { ends.append(at) }
            }
            return ends
        }
        guard String(decoding: body.prefix(9), as: UTF8.self) == #"{"type":""# else { return nil }
        var (depth, isString, isEscaped) = (0, false, false)
        for (at, byte) in body.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if isString {
                isEscaped = byte == UInt8(ascii: "\\")
                if byte == UInt8(ascii: "\"") { isString = false }
            } else if byte == UInt8(ascii: "\"") {
                isString = true
            } else if byte == UInt8(ascii: "{") {
                depth += 1
            } else if byte == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { ends.append(at + 1) }
            }
        }
        return ends
    }

    @Test func `ends the streamed list with its bookmark`() throws {
        let trace = Tracer().trace(try bytes("watchlist.body.json"))
        #expect(trace.contains { $0.hasPrefix("bookmark") && $0.hasSuffix("initial-events-end") })
        #expect(trace.filter { $0.hasPrefix("added") }.count > 250)
        #expect(!trace.contains { $0.hasPrefix("rejected") || $0.hasPrefix("failure") })
    }

    @Test func `reads the server's refusals`() throws {
        #expect(
            Tracer().trace(try bytes("watch-expired.body.json"))[0].hasPrefix(
                "status 410 Expired: too old resource version"))
        #expect(
            Tracer().trace(try bytes("forbidden-403.body.json"))[0].hasPrefix(
                "status 403 Forbidden: nodes is forbidden"))
        #expect(
            Tracer().trace(try bytes("list-future-rv-504.body.json"))[0].contains(
                "cause=ResourceVersionTooLarge retry=1"))
        #expect(
            Tracer().trace(try bytes("list-continue-expired-410.body.json"))[0].hasSuffix(
                " continue"))
    }
}
