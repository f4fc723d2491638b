import Foundation
import Testing

/// Recorded traffic of a real kube-apiserver, where it is present beside the checkout.
enum Captures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../shared/captures").standardized

    static let json: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".body.json") }.sorted()

    static func bytes(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appending(path: name)))
    }
}

@Suite(
    "Decoder: recorded traffic",
    .enabled(if: !Captures.json.isEmpty, "no recorded traffic beside this checkout"))
struct CaptureTests {
    @Test(arguments: Captures.json)
    func `gives the same events in chunks of any size`(name: String) throws {
        let body = try Captures.bytes(name)
        let whole = Tracer().trace(body)
        #expect(!whole.isEmpty)
        for chunk in [1, 2, 3, 7, 4096, 16384] {
            #expect(Tracer().trace(body, chunk: chunk) == whole)
        }
    }

    @Test func `ends the streamed list with its bookmark`() throws {
        let trace = Tracer().trace(try Captures.bytes("watchlist.body.json"))
        #expect(trace.contains { $0.hasPrefix("bookmark") && $0.hasSuffix("initial-events-end") })
        #expect(trace.filter { $0.hasPrefix("added") }.count > 250)
        #expect(!trace.contains { $0.hasPrefix("rejected") || $0.hasPrefix("failure") })
    }

    @Test func `reads the server's refusals`() throws {
        #expect(
            Tracer().trace(try Captures.bytes("watch-expired.body.json"))[0].hasPrefix(
                "status 410 Expired: too old resource version"))
        #expect(
            Tracer().trace(try Captures.bytes("forbidden-403.body.json"))[0].hasPrefix(
                "status 403 Forbidden: nodes is forbidden"))
        #expect(
            Tracer().trace(try Captures.bytes("list-future-rv-504.body.json"))[0].contains(
                "cause=ResourceVersionTooLarge retry=1"))
        #expect(
            Tracer().trace(try Captures.bytes("list-continue-expired-410.body.json"))[0].hasSuffix(
                " continue"))
    }
}
