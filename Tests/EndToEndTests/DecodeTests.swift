import Foundation
import TestSupport
import Testing

/// Counts a recorded body with Python's JSON parser, which shares nothing with ours.
private let independentCount = """
    import json, sys
    text = open(sys.argv[1], encoding="utf-8").read()
    decoder, at, roots = json.JSONDecoder(), 0, []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        root, at = decoder.raw_decode(text, at)
        roots.append(root)
    nodes, events = {}, 0
    for root in roots:
        if "items" in root:
            for item in root["items"]:
                nodes[item["metadata"]["name"]] = item
        elif "type" in root:
            events += 1
            if root["type"] in ("ADDED", "MODIFIED"):
                nodes[root["object"]["metadata"]["name"]] = root["object"]
            elif root["type"] == "DELETED":
                nodes.pop(root["object"]["metadata"]["name"], None)
    images = [i for n in nodes.values() for i in n.get("status", {}).get("images") or []]
    unique = {(tuple(i.get("names") or []), i.get("sizeBytes", 0)) for i in images}
    print(json.dumps({"events": events, "nodes": len(nodes), "images": len(images),
        "uniqueImages": len(unique), "imageBytes": sum(i.get("sizeBytes", 0) for i in images)}))
    """

private struct Counts: Decodable, Equatable {
    var events: Int
    var nodes: Int
    var images: Int
    var uniqueImages: Int
    var imageBytes: Int?
}

@Suite("plimsoll decode")
struct DecodeTests {
    private static let recorded =
        Checkout.recorded("realnodes", suffix: ".json")
        + ["watchlist", "list-rv0", "watch-live"].flatMap {
            Checkout.recorded("captures", suffix: "\($0).body.json")
        }

    private func counts(_ text: String) throws -> Counts {
        try JSONDecoder().decode(Counts.self, from: Data(text.utf8))
    }

    private func scratch(_ text: String) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).json")
        try Data(text.utf8).write(to: file)
        return file.path
    }

    @Test(
        .enabled(if: !recorded.isEmpty, "no recorded nodes beside this checkout"),
        arguments: recorded)
    func `counts what an independent parser counts`(file: String) async throws {
        let python = try await Program.run("python3", ["-c", independentCount, file])
        let ours = try await Program.run("plimsoll", ["decode", file, "--repeat", "2"])
        #expect(ours.status == 0)
        #expect(try counts(ours.output) == counts(python.output))
        #expect(try counts(ours.output).nodes > 0)
    }

    @Test func `takes a cut watch up to its last event and refuses a cut list`() async throws {
        let event = #"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"#
        let watch = try scratch(event + "\n" + event.prefix(30))
        defer { try? FileManager.default.removeItem(atPath: watch) }
        var result = try await Program.run("plimsoll", ["decode", watch])
        #expect(result.status == 0)
        #expect(try counts(result.output).events == 1)
        #expect(result.errors.contains("cut inside an event"))

        let list = try scratch(#"{"kind":"NodeList","items":[{"metadata":{"name":"a"}}"#)
        defer { try? FileManager.default.removeItem(atPath: list) }
        result = try await Program.run("plimsoll", ["decode", list])
        #expect(result.status == 1)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("ends in the middle of an object, after 53 bytes"))
    }

    @Test func `gives null for a sum beyond 64 bits and 1 for a size beyond them`() async throws {
        func list(_ sizes: String...) -> String {
            let images = sizes.map { "{\"names\":[\"i\"],\"sizeBytes\":\($0)}" }
            return #"{"kind":"NodeList","items":[{"metadata":{"name":"n"},"status":{"images":["#
                + images.joined(separator: ",") + "]}}]}"
        }
        let large = try scratch(list("9223372036854775807", "1"))
        defer { try? FileManager.default.removeItem(atPath: large) }
        var result = try await Program.run("plimsoll", ["decode", large])
        #expect(result.status == 0)
        #expect(result.output.contains(#""imageBytes":null"#))

        let beyond = try scratch(list("9223372036854775808"))
        defer { try? FileManager.default.removeItem(atPath: beyond) }
        result = try await Program.run("plimsoll", ["decode", beyond])
        #expect(result.status == 1)
        #expect(
            result.errors.contains("node n: status.images[0].sizeBytes 9223372036854775808"))
    }

    @Test func `leaves out an object of 20 MiB by name, or takes it when told to`() async throws {
        let filler = String(repeating: "x", count: 20 << 20)
        let file = try scratch(
            #"{"type":"ADDED","object":{"metadata":{"name":"big","annotations":{"a":"\#(filler)"}}}}"#
                + #"{"type":"ADDED","object":{"metadata":{"name":"small"}}}"#)
        defer { try? FileManager.default.removeItem(atPath: file) }
        var result = try await Program.run("plimsoll", ["decode", file])
        #expect(result.status == 1)
        #expect(
            result.errors.contains(
                "node big: an object of more than 16777216 bytes (max_object_bytes)"))
        #expect(try counts(result.output).nodes == 1)
        result = try await Program.run(
            "plimsoll", ["decode", file, "--limit", "max_object_bytes=30000000"])
        #expect(result.status == 0)
        #expect(try counts(result.output).nodes == 2)
    }

    @Test func `says what is wrong with a file`() async throws {
        let result = try await Program.run("plimsoll", ["decode", "/nowhere/x.json"])
        #expect(result.status == 1)
        #expect(result.errors.contains("cannot open /nowhere/x.json: No such file or directory"))
    }
}
