import Foundation
import ImageAlerts
import NodeWatch
import Testing

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
                "schemaVersion", "id", "fingerprint", "rule", "reason", "status", "severity",
                "summary", "cluster", "node", "previous", "current", "deltaBytes", "added",
                "removed", "omitted", "basis", "truncated", "hiddenMaxBytesEach", "capacityBytes",
                "allocatableBytes", "percentOfCapacity", "conditions", "classification",
                "resourceVersion", "observedAt", "startsAt", "labels", "lasts",
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
        long.node?.name = "ip-10-0-42-90.us-west-2.compute.internal"
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
        #expect(
            AlertFormat.text.line(long, nameWidth: 10).contains(
                "ip-10-0-42-90.us-west-2.compute.internal"))
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
