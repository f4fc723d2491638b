import Foundation
import TestSupport
import Testing

/// Networks of one's own need root and a packet filter.
private let canDrop: Bool = {
    let probe = Process()
    probe.executableURL = URL(filePath: "/bin/sh")
    probe.arguments = ["-c", "unshare -n iptables -L INPUT && command -v ss ip"]
    probe.standardOutput = FileHandle.nullDevice
    probe.standardError = FileHandle.nullDevice
    guard (try? probe.run()) != nil else { return false }
    probe.waitUntilExit()
    return probe.terminationStatus == 0
}()

@Suite(
    "A path that drops everything", .timeLimit(.minutes(Patience.minutes)),
    .enabled(if: canDrop, "no network namespaces with a packet filter here (root, iptables, ss)"))
struct DroppedPathTests {
    @Test func `is noticed within 45 s, and nothing that happened meanwhile is lost`() async throws
    {
        let folder = try TemporaryFolder()
        let script = Checkout.root.appending(path: "Tests/Clients/dropped_path.sh").path
        let result = try await Program.run(
            "unshare", ["-n", script, Checkout.products.path, folder.path],
            deadline: Patience.limit)
        #expect(result.status == 0, "\(result.errors)")
        let seconds = try #require(
            Int(result.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect((10...45).contains(seconds), "\(result.errors)")
    }
}
