import FoundationEssentials
import KubeClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What Prometheus' client libraries say of their process, as far as /proc tells; elsewhere nothing.
enum ProcessMetrics {
    static func write(to text: inout MetricsText) {
        guard let stat = Stat() else { return }
        text.single(
            "process_cpu_seconds", .counter, "CPU time of the process, user and system.",
            stat.cpuSeconds)
        text.single(
            "process_resident_memory_bytes", .gauge, "Resident memory of the process.",
            stat.residentBytes)
        text.single(
            "process_virtual_memory_bytes", .gauge, "Virtual memory of the process.",
            stat.virtualBytes)
        if let start = stat.startSeconds {
            text.single(
                "process_start_time_seconds", .gauge, "When the process began, since 1970.", start)
        }
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
            text.single("process_open_fds", .gauge, "Open file descriptors.", open)
        }
        var limit = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        if getrlimit(resource, &limit) == 0 {
            text.single(
                "process_max_fds", .gauge, "Most file descriptors that may be open.",
                Double(limit.rlim_cur))
        }
        text.single("process_threads", .gauge, "Threads of the process.", stat.threads)
    }

    /// /proc/self/stat, as proc(5) says.
    private struct Stat {
        var cpuSeconds: Double
        var threads: Int
        var virtualBytes: Int
        var residentBytes: Int
        var startSeconds: Double?

        init?() {
            guard let bytes = try? FileReader.read("/proc/self/stat") else { return nil }
            let text = String(decoding: bytes, as: UTF8.self)
            // The second field is a name in parentheses, which may hold anything.
            guard let end = text.lastIndex(of: ")") else { return nil }
            let fields = text[end...].dropFirst(2).split(separator: " ").map { Int($0) ?? 0 }
            guard fields.count > 21 else { return nil }
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            cpuSeconds = Double(fields[11] + fields[12]) / ticks
            threads = fields[17]
            virtualBytes = fields[20]
            residentBytes = fields[21] * Int(sysconf(Int32(_SC_PAGESIZE)))
            startSeconds = Self.bootTime.map { $0 + Double(fields[19]) / ticks }
        }

        private static let bootTime: Double? = {
            guard let bytes = try? FileReader.read("/proc/stat") else { return nil }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                .first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
        }()
    }
}
