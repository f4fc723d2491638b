import ClusterSimulator
import Foundation
import ObjectEncoding
import TestSupport
import Testing

private let protobuf = "application/vnd.kubernetes.protobuf"

/// What the simulator says in protobuf is what it says in JSON, field by field.
@Suite("Simulated answers in protobuf")
struct ProtobufAnswersTests {
    private func simulator(_ shapes: [NodeShape] = NodeShape.allCases) async throws
        -> RunningSimulator
    {
        var options = Cluster.Options()
        options.nodeCount = 6
        options.shapes = shapes
        let simulator = try await RunningSimulator(options)
        // One node is a document of its own from here on, one is cordoned.
        for (name, patch) in zip(
            simulator.server.cluster.report().map(\.node.name),
            [
                #"{"metadata":{"annotations":{"a":"b"},"finalizers":["f/x"]}}"#,
                #"{"spec":{"unschedulable":true}}"#,
            ])
        {
            let answer = try await simulator.send(
                "PATCH", "/api/v1/nodes/\(name)", body: Data(patch.utf8),
                headers: ["content-type": "application/merge-patch+json"])
            #expect(answer.status == 200)
        }
        return simulator
    }

    private func written(_ json: [UInt8]) throws -> [UInt8] {
        var text = ProtobufText()
        let isKnown = text.body(try JSONValue(parsing: json))
        #expect(isKnown)
        return text.bytes
    }

    @Test func `are the same objects`() async throws {
        let simulator = try await simulator()
        defer { simulator.stop() }
        let name = simulator.server.cluster.report()[0].node.name
        for target in [
            "/api/v1/nodes", "/api/v1/nodes?limit=2", "/api/v1/nodes/\(name)",
            "/api/v1/nodes/nobody", "/api/v1/nodes?resourceVersion=99999999",
        ] {
            let json = try await simulator.bytes(target, accept: "application/json")
            let answer = try await simulator.bytes(target, accept: protobuf)
            #expect(json.type == "application/json" && answer.type == protobuf)
            #expect(try answer.body == written(json.body), "\(target)")
        }
    }

    @Test func `are the same events`() async throws {
        let simulator = try await simulator()
        defer { simulator.stop() }
        let target =
            "/api/v1/nodes?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
            + "&resourceVersionMatch=NotOlderThan&timeoutSeconds=1"
        let json = try await simulator.bytes(target, accept: "application/json")
        let answer = try await simulator.bytes(
            target, accept: "\(protobuf);stream=watch,application/json")
        #expect(answer.type == "\(protobuf);stream=watch")
        var expected = ProtobufText()
        for line in json.body.split(separator: UInt8(ascii: "\n")) {
            let event = try JSONValue(parsing: Array(line))
            expected.watchEvent(event["type"]?.string ?? "") {
                _ = $0.body(event["object"] ?? .null)
            }
        }
        #expect(answer.body == expected.bytes)
        #expect(json.body.count > 6 * 4096)
    }

    @Test(arguments: [
        ("application/json, \(protobuf)", "application/json"),
        ("\(protobuf), application/json", protobuf), ("*/*", "application/json"),
        ("\(protobuf);as=Table;g=meta.k8s.io;v=v1,application/json", "application/json"),
    ])
    func `come in what a client asks for first`(accept: String, type: String) async throws {
        let simulator = try await simulator([.eks])
        defer { simulator.stop() }
        #expect(try await simulator.bytes("/api/v1/nodes", accept: accept).type == type)
    }
}
