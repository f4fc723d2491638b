import Foundation
import KubeClient
import NodeWatch
import TestSupport
import Testing

private let recorded =
    Checkout.recorded("captures", suffix: ".body.json")
    + Checkout.recorded("captures", suffix: ".body.pb")

/// Of a large one the beginning where there is no time for more.
private func bytes(_ file: String) throws -> [UInt8] {
    let whole = try Data(contentsOf: URL(filePath: file))
    return Array(Patience.isSlow ? whole.prefix(32 << 10) : whole)
}

private func contentType(_ file: String) -> String {
    file.hasSuffix(".pb") ? "application/vnd.kubernetes.protobuf" : "application/json"
}

extension Anonymiser {
    /// A body, whole or in chunks, with other names.
    fileprivate mutating func body(
        _ body: [UInt8], _ contentType: String, chunk: Int = .max
    ) -> [UInt8] {
        _ = pieces(.head(status: 200, contentType: contentType, retryAfter: nil))
        var out: [UInt8] = []
        func take(_ pieces: [RecordingPiece]) {
            for case .body(let bytes) in pieces { out += bytes }
        }
        var rest = body[...]
        while !rest.isEmpty {
            take(pieces(.body(Array(rest.prefix(chunk)))))
            rest = rest.dropFirst(chunk)
        }
        take(pieces(.end))
        return out
    }

    fileprivate mutating func json(_ text: String) -> String {
        String(decoding: body(Array(text.utf8), "application/json"), as: UTF8.self)
    }
}

@Suite("Anonymiser", .serialized)
struct AnonymiserTests {
    /// What a body says, without names.
    private func summary(_ body: [UInt8]) throws -> String {
        let said = try RecordedBody(body, chunkBytes: 65536, strict: true).decode()
        let numbers = [said.events, said.nodes, said.images, said.uniqueImages]
        return "\(numbers) \(String(describing: said.imageBytes)) \(said.endsInObject) "
            + "\(said.rejections.count) \(said.status?.code ?? 0) \(said.status?.reason ?? "")"
    }

    @Test(
        .enabled(if: !recorded.isEmpty, "no recorded traffic beside this checkout"),
        arguments: recorded.filter { !$0.contains("event") && !$0.contains("lease") })
    func `leaves of recorded traffic all but the names, in chunks of any size`(file: String)
        async throws
    {
        let body = try bytes(file)
        let anonymiser = Anonymiser()
        var first = anonymiser
        let whole = first.body(body, contentType(file))
        #expect(whole.count == body.count)
        if (try? summary(body)) != nil { #expect(try summary(whole) == summary(body)) }
        // Whatever comes after the beginning is cut no other way.
        let beginning = Array(body.prefix(64 << 10))
        var again = anonymiser
        let expected = again.body(beginning, contentType(file))
        for chunk in [1, 7, 4096] {
            await Task.yield()
            var other = anonymiser
            #expect(other.body(beginning, contentType(file), chunk: chunk) == expected)
        }
    }

    /// All texts below a key.
    private func texts(_ value: Any) -> [String] {
        switch value {
        case let text as String: [text]
        case let list as [Any]: list.flatMap(texts)
        case let object as [String: Any]: object.values.flatMap(texts)
        default: []
        }
    }

    @Test(
        .enabled(if: !recorded.isEmpty, "no recorded traffic beside this checkout"),
        arguments: ["list-rv0.body.json", "list-protobuf.body.pb", "watchlist.body.json"])
    func `leaves no name of a recorded cluster`(name: String) throws {
        let folder = Checkout.shared.appending(path: "captures")
        let list = try JSONSerialization.jsonObject(
            with: Data(contentsOf: folder.appending(path: "list-rv0.body.json")))
        let nodes = try #require((list as? [String: Any])?["items"] as? [[String: Any]])
        var names: Set<Substring> = []
        func words(_ text: some StringProtocol) -> [Substring] {
            Substring(text).split { !($0.isLetter || $0.isNumber || "-._".contains($0)) }
        }
        for node in nodes {
            let metadata = node["metadata"] as? [String: Any] ?? [:]
            let status = node["status"] as? [String: Any] ?? [:]
            let info = status["nodeInfo"] as? [String: Any] ?? [:]
            let hidden: [Any?] = [
                metadata["name"], metadata["uid"], status["images"], status["addresses"],
                (node["spec"] as? [String: Any])?["providerID"], info["machineID"],
                info["systemUUID"], info["bootID"],
            ]
            names.formUnion(hidden.compactMap(\.self).flatMap(texts).flatMap(words))
        }
        // Types of addresses, a key of Kubernetes' own, and what is too short to tell anything.
        names = names.filter { $0.count >= 8 && !$0.hasPrefix("Internal") }
        names.subtract(["Hostname", "not-ready"])
        #expect(names.count > 1000)
        let path = folder.appending(path: name).path
        // A short name's pseudonym may be another's name by chance; what stays does so with every key.
        for _ in 1...2 {
            var anonymiser = Anonymiser()
            let out = String(
                decoding: anonymiser.body(try bytes(path), contentType(path)), as: UTF8.self)
            names.formIntersection(words(out))
        }
        #expect(names == [])
    }

    @Test func `keeps what is equal equal, and the form of images`() {
        var anonymiser = Anonymiser()
        let digest = String(repeating: "0123456789abcdef", count: 4)
        let text =
            #"{"kind":"Node","apiVersion":"v1","metadata":{"name":"node-a","resourceVersion":"7","#
            + #""labels":{"kubernetes.io/hostname":"node-a","acme.com/team":"node-a"}},"status":"#
            + #"{"images":[{"names":["reg.acme.com/app:1.2","reg.acme.com/app@sha256:"# + digest
            + #""],"sizeBytes":12}]}}"#
        let out = anonymiser.json(text)
        let pattern =
            /{"kind":"Node","apiVersion":"v1","metadata":{"name":"([a-z]{4}-[a-z])","resourceVersion":"7","labels":{"kubernetes.io\/hostname":"(.{6})","[a-z]{4}\.[a-z]{3}\/[a-z]{4}":"(.{6})"}},"status":{"images":\[{"names":\["(.{12}\/.{3}):[0-9]\.[0-9]","(.{12}\/.{3})@sha256:[0-9a-f]{64}"\],"sizeBytes":12}\]}}/
        guard let match = out.wholeMatch(of: pattern) else {
            Issue.record("\(out)")
            return
        }
        #expect(match.1 == match.2 && match.2 == match.3 && match.4 == match.5)
        #expect(!out.contains("node-a") && !out.contains("acme") && !out.contains(digest))
        #expect(anonymiser.json(text) == out)
        var other = Anonymiser()
        #expect(other.json(text) != out)
    }

    @Test func `keeps short names apart`() {
        var anonymiser = Anonymiser()
        let names = (0..<100).map { String($0) }
        #expect(Set(names.map { anonymiser.name($0) }).count > 90)
        let words = (0..<2000).map { "n\($0)" }
        let others = words.map { anonymiser.name($0) }
        #expect(Set(others).count == words.count)
    }

    @Test func `hides what it does not know, keys, escapes and garbage included`() {
        var anonymiser = Anonymiser()
        for text in [
            #"{"secret":{"alpha":"bravo","delta":["bravo"]}}"#,
            #"{"metadata":{"annotations":{"alpha":"bra\u0076o \"bravo\" \n"}}}"#,
            #"{"metadata":{"name":"bravo"#, #"alpha bravo "bravo" delta"#, "<html>bravo</html>",
            #"{"metadata":[[["bravo"]]],"kind":{"a":"bravo"}}"#,
            #"{"status":"Failure","message":"nodes \"bravo\" is forbidden: alpha"}"#,
            String(repeating: "[", count: 600) + #"{"alpha":"bravo"}"#,
            #"{"metadata":{"name":""# + String(repeating: "bravo", count: 20_000) + #""}}"#,
            #"{"type":"ERROR"} "bravo" [[}}} "alpha": bravo"#,
        ] {
            let out = anonymiser.json(text)
            #expect(out.utf8.count == text.utf8.count)
            for word in ["alpha", "bravo", "delta", "u0076"] {
                #expect(!out.contains(word), "\(word) in \(out.prefix(200))")
            }
            let punctuation = text.filter { "{}[],\"\\".contains($0) }
            #expect(out.filter { "{}[],\"\\".contains($0) } == punctuation)
        }
    }

    @Test func `shows what the server says to everybody`() {
        var anonymiser = Anonymiser()
        for text in [
            #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#
                + #""message":"too old resource version: 1 (2)","reason":"Expired","code":410}"#,
            #"{"type":"BOOKMARK","object":{"kind":"Node","apiVersion":"v1","metadata":{"#
                + #""resourceVersion":"9","creationTimestamp":null,"#
                + #""annotations":{"k8s.io/initial-events-end":"true"}}}}"#,
            #"{"status":{"capacity":{"cpu":"4","ephemeral-storage":"1Ki"},"conditions":["#
                + #"{"type":"Ready","status":"True","reason":"KubeletReady"}],"#
                + #""nodeInfo":{"kubeletVersion":"v1.36.0","containerRuntimeVersion":"containerd://2"}}}"#,
        ] {
            #expect(anonymiser.json(text) == text)
        }
    }

    @Test func `hides selectors and tokens of pages in what is asked for, and no more`() {
        var anonymiser = Anonymiser()
        let target =
            "/api/v1/nodes?limit=500&continue=eyJydiI6LTEs&labelSelector=acme%2Fteam%3Dgold"
            + "&resourceVersion=12&timeoutSeconds=300"
        guard
            case .open(let out, "x")? = anonymiser.pieces(.open(target: target, accept: "x")).last
        else {
            Issue.record("no request")
            return
        }
        #expect(out.hasPrefix("/api/v1/nodes?limit=500&continue="))
        #expect(out.hasSuffix("&resourceVersion=12&timeoutSeconds=300"))
        #expect(out.contains("%2F") && out.contains("%3D") && out.count == target.count)
        for word in ["eyJ", "acme", "team", "gold"] { #expect(!out.contains(word)) }
        let failure = anonymiser.pieces(.failure("connect", message: "acme.com refuses"))
        guard case .failure("connect", "")? = failure.last else {
            Issue.record("\(failure)")
            return
        }
    }

    @Test func `survives malformed protobuf`() {
        var anonymiser = Anonymiser()
        var random = SystemRandomNumberGenerator()
        let type = "application/vnd.kubernetes.protobuf"
        let starts: [[UInt8]] = [
            Array("k8s\0".utf8),
            Array("k8s\0".utf8) + [0x0a, 0x0a, 0x12, 8] + Array("NodeList".utf8),
            [0, 0, 0, 40, 0x0a, 5] + Array("ADDED".utf8) + [0x12], [0xff, 0xff, 0xff, 0xff], [],
        ]
        for turn in 0..<(Patience.isSlow ? 500 : 20_000) {
            let start = starts[turn % starts.count]
            let body =
                start
                + (0..<Int.random(in: 0...60)).map { _ in UInt8.random(in: 0...255, using: &random)
                }
            #expect(anonymiser.body(body, type, chunk: turn % 7 + 1).count == body.count)
        }
        let long: [UInt8] = Array("k8s\0".utf8) + [0x12] + [UInt8](repeating: 0xff, count: 9) + [1]
        #expect(anonymiser.body(long + [1, 2, 3], type).count == long.count + 3)
    }
}
