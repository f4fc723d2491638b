import ClusterSimulator
import Foundation
import TestSupport
import Testing

/// One recorded exchange with a real API server.
private struct Exchange {
    var method: String
    var target: String
    var headers: [String: String]
    var body: String
    var status: Int
    var answerHeaders: Set<String>
    var answer: Data

    init(_ name: String) throws {
        let folder = Checkout.shared.appending(path: "captures")
        let text = try String(contentsOf: folder.appending(path: "\(name).http"), encoding: .utf8)
            .replacing("\r\n", with: "\n")
        let halves = text.split(separator: "\n---\n", maxSplits: 1).map(String.init)
        let request = halves[0].split(separator: "\n\n", maxSplits: 1).map(String.init)
        let lines = request[0].split(separator: "\n").map(String.init)
        let words = lines[0].split(separator: " ").map(String.init)
        method = words[0]
        target = words[1]
        headers = Self.headers(lines.dropFirst())
        body = request.count > 1 ? request[1] : ""
        let answerLines = halves[1].split(separator: "\n").map(String.init)
        status = Int(answerLines[0].split(separator: " ")[1]) ?? 0
        answerHeaders = Set(Self.headers(answerLines.dropFirst()).keys)
        let file = folder.appending(path: "\(name).body.json")
        answer = (try? Data(contentsOf: file)) ?? Data()
    }

    static func headers(_ lines: ArraySlice<String>) -> [String: String] {
        var headers: [String: String] = [:]
        for line in lines where !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].dropFirst()) : ""
        }
        return headers
    }
}

/// The simulator's answers beside those of a real kube-apiserver, recorded.
@Suite(
    "Recorded answers",
    .enabled(
        if: !Checkout.recorded("captures", suffix: ".http").isEmpty,
        "no recorded answers beside this checkout"))
struct RecordedAnswersTests {
    /// In an order in which one leads to the next.
    static let refusals = [
        "get-node-404", "unauthorized-401", "forbidden-403", "watch-forbidden-403",
        "list-field-selector-bad", "watchlist-invalid-422", "list-future-rv-504",
        "watch-bad-rv-500", "update-conflict-409", "patch-unsupported-415",
        "patch-invalid-422", "delete-precondition-409", "eventsv1-invalid-422", "lease-create-409",
        "lease-update-409", "not-acceptable-406", "list-continue-expired-410",
    ]
    static let answers = [
        "version", "get-node", "list-page1", "list-field-selector", "update-annotation-put",
        "patch-annotation-merge", "apply-annotation", "event-create", "eventsv1-create",
        "lease-create-201", "lease-update", "ssar", "delete-dryrun", "delete-grace",
        "watch-expired", "watch-bookmark",
    ]

    /// A simulator with the recorded cluster's nodes of note.
    private func simulator(_ name: String) async throws -> RunningSimulator {
        var cluster = Cluster.Options()
        cluster.nodeCount = 12
        var options = SimulatorServer.Options()
        options.bookmarkInterval = .milliseconds(300)
        let simulator = try await RunningSimulator(cluster, options)
        let recorded = try Exchange("get-node").answer
        for node in ["odd-strings", "no-names", "leaver", "one-image", "big-size"] {
            guard var object = try JSONSerialization.jsonObject(with: recorded) as? [String: Any]
            else { continue }
            var metadata = object["metadata"] as? [String: Any] ?? [:]
            metadata["name"] = node
            object["metadata"] = metadata
            let body = try JSONSerialization.data(withJSONObject: object)
            _ = try await simulator.send("POST", "/api/v1/nodes", body: body)
        }
        if name.hasPrefix("lease-"), name != "lease-create-201" {
            let create = try Exchange("lease-create-201")
            _ = try await simulator.send("POST", create.target, body: Data(create.body.utf8))
        }
        return simulator
    }

    /// The recorded request, its versions and identities replaced by those that hold here.
    private func replay(
        _ exchange: Exchange, _ name: String, _ simulator: RunningSimulator
    ) async throws -> RunningSimulator.Answer {
        var target = exchange.target
        var body = exchange.body
        if ["PUT", "DELETE"].contains(exchange.method),
            !name.hasSuffix("409") || name.contains("lease")
        {
            let current = try await simulator.send("GET", exchange.target).metadata()
            for (key, stale) in [("resourceVersion", "1"), ("uid", "")] {
                let value = name.hasSuffix("409") && key == "resourceVersion" ? stale : current[key]
                body = body.replacing(
                    try Regex("\"\(key)\": \"[^\"]*\""), with: "\"\(key)\": \"\(value ?? "")\"")
            }
        } else if name == "update-conflict-409" {
            let current = try await simulator.send("GET", exchange.target).metadata()
            body = body.replacing(
                try Regex("\"uid\": \"[^\"]*\""), with: "\"uid\": \"\(current["uid"] ?? "")\"")
        }
        if name.hasPrefix("watch-b") {
            let version = simulator.server.cluster.resourceVersion
            target = target.replacing("resourceVersion=824", with: "resourceVersion=\(version)")
                .replacing("timeoutSeconds=65", with: "timeoutSeconds=1")
        }
        if name == "watch-expired" { simulator.server.cluster.forgetHistory() }
        if name == "list-continue-expired-410" {
            let page = try await simulator.send("GET", "/api/v1/nodes?limit=7").metadata()
            simulator.server.cluster.forgetHistory()
            target = "/api/v1/nodes?limit=7&continue=\(page["continue"] ?? "")"
        }
        let token =
            name.hasPrefix("unauthorized")
            ? "none"
            : name.contains("forbidden") || name == "ssar"
                ? simulator.server.options.viewerToken : nil
        return try await simulator.send(
            exchange.method, target, token: token, body: Data(body.utf8),
            headers: exchange.headers.filter { ["accept", "content-type"].contains($0.key) })
    }

    @Test(arguments: refusals)
    func `refuses as a real server does`(_ name: String) async throws {
        let simulator = try await simulator(name)
        defer { simulator.stop() }
        let exchange = try Exchange(name)
        let answer = try await replay(exchange, name, simulator)
        #expect(answer.status == exchange.status)
        #expect(Set(answer.headers.keys) == exchange.answerHeaders)
        var (ours, theirs) = (try Shape.masked(answer.body), try Shape.masked(exchange.answer))
        if name == "not-acceptable-406" {
            // The formats it lists are those it has.
            ours["message"] = nil
            theirs["message"] = nil
        }
        if name == "patch-invalid-422" {
            // The real server says the same of one label several times.
            ours["details"] = Shape.withoutRepeats(ours["details"])
            theirs["details"] = Shape.withoutRepeats(theirs["details"])
        }
        #expect(
            NSDictionary(dictionary: ours) == NSDictionary(dictionary: theirs),
            "\(String(decoding: answer.body.prefix(2000), as: UTF8.self))")
    }

    @Test(arguments: answers)
    func `answers in the form of a real server`(_ name: String) async throws {
        let simulator = try await simulator(name)
        defer { simulator.stop() }
        let exchange = try Exchange(name)
        let answer = try await replay(exchange, name, simulator)
        #expect(answer.status == exchange.status)
        #expect(Set(answer.headers.keys) == exchange.answerHeaders)
        let (ours, theirs) = (try Shape.keys(answer.body), try Shape.keys(exchange.answer))
        // The build's own particulars.
        let known = theirs.filter { !$0.hasPrefix("emulation") && !$0.hasPrefix("minCompat") }
        #expect(ours.symmetricDifference(known).sorted() == [])
    }
}

/// What of a document can be compared.
private enum Shape {
    private static func first(_ data: Data) throws -> [String: Any] {
        let line =
            data.first == UInt8(ascii: "{") && data.starts(with: Data("{\"type\"".utf8))
            ? data.prefix { $0 != UInt8(ascii: "\n") } : data
        return try JSONSerialization.jsonObject(with: line) as? [String: Any] ?? [:]
    }

    /// Members by path, down to the parts whose members are data.
    static func keys(_ data: Data) throws -> Set<String> {
        var keys: Set<String> = []
        func walk(_ value: Any, _ path: String) {
            keys.insert(path)
            guard let object = value as? [String: Any] else { return }
            let isData = [".labels", ".annotations", ".managedFields", ".spec", ".status"]
                .contains { path.hasSuffix($0) }
            if isData { return }
            for (key, value) in object { walk(value, "\(path).\(key)") }
        }
        for (key, value) in try first(data) { walk(value, key) }
        return keys
    }

    /// Numbers of versions, generated names, tokens and uids replaced.
    static func masked(_ data: Data) throws -> [String: Any] {
        func mask(_ value: Any) throws -> Any {
            switch value {
            case let text as String:
                return text.replacing(try Regex("[0-9a-f]{8}-[0-9a-f-]{27}"), with: "UID")
                    .replacing(try Regex("current: [0-9]+"), with: "current: N")
                    .replacing(try Regex("one-image\\.[a-z0-9]{5}"), with: "one-image.NAME")
            case let object as [String: Any]:
                var result: [String: Any] = [:]
                for (key, value) in object {
                    result[key] = key == "continue" ? "TOKEN" : try mask(value)
                }
                return result
            case let items as [Any]: return try items.map(mask)
            default: return value
            }
        }
        return try mask(try first(data)) as? [String: Any] ?? [:]
    }

    static func withoutRepeats(_ details: Any?) -> Any? {
        guard var details = details as? [String: Any], let causes = details["causes"] as? [Any]
        else { return details }
        var kept: [NSObject] = []
        for case let cause as NSObject in causes.map({
            NSDictionary(dictionary: $0 as? [String: Any] ?? [:])
        })
        where !kept.contains(cause) { kept.append(cause) }
        details["causes"] = kept
        return details
    }
}
