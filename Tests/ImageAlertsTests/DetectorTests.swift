import Foundation
import ImageAlerts
import NodeWatch
import Testing

private func image(_ size: Int, _ names: String...) -> ContainerImage {
    ContainerImage(names: names, sizeBytes: size)
}

private func node(
    _ images: [ContainerImage]?, uid: String = "u", version: Int = 1, pool: String? = nil
) -> NodeSummary {
    var contents = NodeSummary.Contents(
        name: "n", uid: uid, resourceVersion: "\(version)", images: images)
    contents.pool = pool
    contents.containerRuntimeVersion = "containerd://2.1"
    return NodeSummary(contents)
}

/// What a detector says of a node whose lists follow one another.
private func changes(
    _ lists: [[ContainerImage]?], cap: ImageChangeDetector.Cap = .assumed
) -> [ImageChange?] {
    var detector = ImageChangeDetector(cap: cap)
    let nodes = lists.enumerated().map { node($1, version: $0 + 1) }
    var result = [detector.observe(.added(nodes[0], isInInitialList: true))]
    for (old, new) in zip(nodes, nodes.dropFirst()) {
        result.append(detector.observe(.updated(old: old, new: new)))
    }
    return Array(result.dropFirst())
}

/// A change in a few words: "+a -b".
private func words(_ change: ImageChange?) -> String {
    guard let change else { return "none" }
    let parts =
        change.added.map { "+\($0.displayName)" } + change.removed.map { "-\($0.displayName)" }
    return parts.joined(separator: " ") + " \(change.classification.rawValue)"
}

@Suite("What is a change")
struct DetectorTests {
    private let a = image(100, "r/a@sha256:aa", "r/a:1")
    private let b = image(50, "r/b@sha256:bb", "r/b:1")

    @Test func `an image that comes, goes, or takes another's place`() {
        #expect(changes([[a], [a, b]]).map(words) == ["+r/b:1 pull"])
        #expect(changes([[a, b], [a]]).map(words) == ["-r/b:1 gc"])
        let next = image(50, "r/b@sha256:b2", "r/b:2")
        #expect(changes([[a, b], [a, next]]).map(words) == ["+r/b:2 -r/b:1 replace"])
        let other = image(50, "r/z@sha256:zz", "r/z:1")
        let swap = changes([[a, b], [a, other]])
        #expect(swap.map(words) == ["+r/z:1 -r/b:1 replace"])
        #expect(swap[0]?.deltaBytes == 0)
    }

    @Test func `not another order, another tag on a digest, or a name more or less`() {
        #expect(changes([[a, b], [b, a]]).map(words) == ["none"])
        #expect(changes([[a], [image(100, "r/a@sha256:aa", "r/a:2")]]).map(words) == ["none"])
        #expect(changes([[a], [image(100, "mirror/a@sha256:aa")]]).map(words) == ["none"])
        // Where one has no digest: the same size and a name in common.
        #expect(changes([[a], [image(100, "r/a:1")]]).map(words) == ["none"])
        #expect(changes([[image(100, "r/a:1")], [a]]).map(words) == ["none"])
        #expect(
            changes([[image(9, "r/a:1", "r/a:x")], [image(9, "r/a:x")]]).map(words) == ["none"])
    }

    @Test func `a tag-only image under a new tag, and the same tag with a new size`() {
        #expect(
            changes([[image(9, "r/a:1")], [image(9, "r/a:2")]]).map(words)
                == ["+r/a:2 -r/a:1 replace"])
        #expect(
            changes([[image(9, "r/a:1")], [image(8, "r/a:1")]]).map(words)
                == ["+r/a:1 -r/a:1 replace"])
    }

    @Test func `not a list that is missing or empty, but what differs after it`() {
        #expect(changes([[a], nil, [a]]).map(words) == ["none", "none"])
        #expect(changes([[a], [], [a]]).map(words) == ["none", "none"])
        #expect(changes([[a], nil, nil, [a, b]]).map(words) == ["none", "none", "+r/b:1 pull"])
        #expect(changes([nil, [a]]).map(words) == ["none"])
        #expect(changes([[], [a], [a, b]]).map(words) == ["none", "+r/b:1 pull"])
    }

    @Test func `not another node under the same name`() {
        var detector = ImageChangeDetector()
        _ = detector.observe(.added(node([a]), isInInitialList: true))
        _ = detector.observe(.updated(old: node([a]), new: node(nil, version: 2)))
        _ = detector.observe(.deleted(node(nil, version: 3)))
        _ = detector.observe(.added(node(nil, uid: "v", version: 4), isInInitialList: false))
        let change = detector.observe(
            .updated(
                old: node(nil, uid: "v", version: 4), new: node([b], uid: "v", version: 5)))
        #expect(words(change) == "none")
    }

    /// Fifty images, the smallest of 101 bytes.
    private let full = (1...50).map { image(100 + $0, "r/i@sha256:\($0)", "r/i\($0):1") }

    @Test func `not what moves over the edge of a cut list`() {
        // A large image pushes the smallest one out: only the arrival is known.
        let large = image(500, "r/large@sha256:l", "r/large:1")
        let pushed = [large] + full.dropFirst()
        #expect(changes([full, pushed]).map(words) == ["+r/large:1 pull"])
        // It goes, and the small one is seen again: only the departure is known.
        let back = changes([pushed, full])
        #expect(back.map(words) == ["-r/large:1 gc"])
        #expect(back[0]?.isTruncated == true)
        // Equal sizes at the very edge: which of them is listed says nothing.
        let tie = [image(101, "r/tie@sha256:e", "r/tie:1")] + full.dropFirst()
        #expect(changes([full, tie]).map(words) == ["none"])
        // But what would have to be listed, and is not, is gone.
        let edge = [image(100, "r/edge@sha256:e", "r/edge:1")] + full.dropFirst()
        #expect(changes([full, edge]).map(words) == ["-r/i1:1 gc"])
    }

    @Test func `takes 50 for the cap until a node of the pool lists more, or as told`() {
        let more = full + [image(90, "r/m@sha256:m", "r/m:1")]
        // 51 are listed, so 50 was no cap: what is missing then is gone.
        #expect(changes([more, full]).map(words) == ["-r/m:1 gc"])
        #expect(changes([full, Array(full.dropFirst())], cap: .none).map(words) == ["-r/i1:1 gc"])
        let ten = Array(full.suffix(10))
        let shifted = [image(500, "r/l@sha256:l", "r/l:1")] + ten.dropFirst()
        #expect(changes([ten, shifted], cap: .images(10)).map(words) == ["+r/l:1 pull"])
        #expect(
            changes([ten, shifted], cap: .assumed).map(words) == ["+r/l:1 -r/i41:1 pull"])
    }
}

@Suite("Alerts")
struct AlertTests {
    private func alert(_ old: [ContainerImage], _ new: [ContainerImage]) -> Alert {
        let change = changes([old, new])[0]!
        return Alert(change, cluster: "prod", time: Date(timeIntervalSince1970: 1_790_000_000.25))
    }

    private let old = [image(1_000_000_000, "r/a@sha256:aa", "r/a:1")]
    private var new: [ContainerImage] { old + [image(3_972_844_749, "r/b@sha256:bb", "r/b:1")] }

    @Test func `have the keys that scripts depend on`() throws {
        let line = AlertFormat.json.line(alert(old, new))
        #expect(!line.contains("\n"))
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(
            Set(json.keys) == [
                "schemaVersion", "id", "rule", "status", "severity", "summary", "cluster", "node",
                "previous", "current", "deltaBytes", "added", "removed", "basis", "truncated",
                "classification", "resourceVersion", "observedAt",
            ])
        #expect(json["rule"] as? String == "image-storage-changed")
        #expect((json["cluster"] as? [String: Any])?["name"] as? String == "prod")
        #expect((json["node"] as? [String: Any])?["uid"] as? String == "u")
        #expect((json["previous"] as? [String: Any])?["bytes"] as? Int == 1_000_000_000)
        #expect((json["current"] as? [String: Any])?["images"] as? Int == 2)
        #expect(json["deltaBytes"] as? Int == 3_972_844_749)
        let added = try #require(json["added"] as? [[String: Any]])
        #expect(added[0]["name"] as? String == "r/b:1")
        #expect(added[0]["sizeBytes"] as? Int == 3_972_844_749)
        #expect(json["basis"] as? String == "reported-compressed")
        #expect(json["truncated"] as? Bool == false)
        #expect(json["observedAt"] as? String == "2026-09-21T14:13:20.250Z")
    }

    @Test func `have an id that is the same for the same change`() {
        #expect(alert(old, new).id == alert(old, new).id)
        #expect(alert(old, new).id.utf8.count == 32)
    }

    @Test func `give null where a total does not fit`() {
        let huge = old + [image(.max, "r/h@sha256:h")]
        let line = AlertFormat.json.line(alert(old, huge))
        #expect(line.contains(#""deltaBytes":null"#))
        #expect(line.contains(#""current":{"bytes":null,"images":2}"#))
    }

    @Test func `read well as text and as logfmt`() {
        let text = AlertFormat.text.line(alert(old, new))
        #expect(text.contains("954 MiB → 4.6 GiB"))
        #expect(text.contains("+3.7 GiB  pull     r/b:1 (3.7 GiB)"))
        let narrow = AlertFormat.text.line(alert(old, new), width: 100)
        #expect(narrow.count <= 100)
        var long = alert(old, new)
        long.node.name = "ip-10-0-42-90.us-west-2.compute.internal"
        let cut = AlertFormat.text.line(long, width: 100, nameWidth: 40)
        #expect(cut.count <= 100)
        #expect(cut.contains("  ip-10-0-…"))
        #expect(cut.contains("  pull     r/b:1 (3.7 GiB)"))
        let far = alert(
            old,
            old + [
                image(
                    1, "registry.example.com/team/app@sha256:c",
                    "registry.example.com/team/app:v1.2")
            ])
        #expect(AlertFormat.text.line(far, width: 100).hasSuffix("pull     …/app:v1.2 (1 B)"))
        // Whatever reads a pipe gets all of it.
        #expect(AlertFormat.text.line(long, nameWidth: 10).contains(long.node.name))
        let logfmt = AlertFormat.logfmt.line(alert(old, new))
        #expect(logfmt.hasPrefix("ts=2026-09-21T14:13:20.250Z level=info msg=\"n: 954 MiB"))
        #expect(
            logfmt.contains(" old_bytes=1000000000 new_bytes=4972844749 delta_bytes=3972844749 "))
        #expect(logfmt.contains(#" removed="" "#))
    }

    @Test func `show sizes with three digits at most`() {
        #expect(
            [0, 999, 1000, 1023, 1024, 104_857, 999_500_000, Int.max].map(ByteText.text) == [
                "0 B", "999 B", "1.0 KiB", "1.0 KiB", "1.0 KiB", "102 KiB", "953 MiB", "8.0 EiB",
            ])
        #expect([-5, 0, 2048].map(ByteText.delta) == ["-5 B", "0", "+2.0 KiB"])
    }
}
