import KubeClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the process has cost so far.
enum ProcessCost {
    /// User and system CPU time in seconds, and the largest resident set in bytes.
    static var now: (cpuSeconds: Double, maxRSSBytes: Int) {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(Int32(RUSAGE_SELF.rawValue)), &usage)
            let maxRSSBytes = highWaterMark ?? Int(usage.ru_maxrss) * 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            let maxRSSBytes = Int(usage.ru_maxrss)
        #endif
        func seconds(_ time: timeval) -> Double {
            Double(time.tv_sec) + Double(time.tv_usec) / 1e6
        }
        return (seconds(usage.ru_utime) + seconds(usage.ru_stime), maxRSSBytes)
    }

    #if canImport(Glibc)
        /// From /proc: `ru_maxrss` counts the process that started this one, too.
        private static var highWaterMark: Int? {
            guard let bytes = try? FileReader.read("/proc/self/status") else { return nil }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            guard let line = lines.first(where: { $0.hasPrefix("VmHWM:") }) else { return nil }
            return Int(line.filter(\.isNumber)).map { $0 * 1024 }
        }
    #endif
}
