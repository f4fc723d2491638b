import FoundationEssentials

/// What the process holds, as the kernel tells.
struct ProcessState: CustomStringConvertible {
    private(set) var threads = 0
    private(set) var descriptors = 0
    private(set) var residentBytes = 0

    init() {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        for line in status.split(separator: "\n") {
            let number = Int(line.filter(\.isNumber)) ?? 0
            if line.hasPrefix("Threads:") { threads = number }
            if line.hasPrefix("VmRSS:") { residentBytes = number * 1024 }
        }
        descriptors =
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
    }

    var description: String {
        "\(threads) threads, \(descriptors) descriptors, \(residentBytes / 1_000_000) MB"
    }

    /// What grew from quiet point to quiet point, in words. The first ones fill caches.
    static func growth(_ states: [ProcessState]) -> [String] {
        guard states.count >= 6, let last = states.last else { return [] }
        let early = states[2]
        var grown: [String] = []
        if last.threads > early.threads + 1 { grown.append("threads grew: \(early) to \(last)") }
        if last.descriptors > early.descriptors + 4 {
            grown.append("descriptors grew: \(early) to \(last)")
        }
        if last.residentBytes > early.residentBytes * 5 / 4 + 8_000_000 {
            grown.append("memory grew: \(early) to \(last)")
        }
        return grown
    }
}
