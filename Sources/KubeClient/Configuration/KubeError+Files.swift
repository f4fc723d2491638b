#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension KubeError {
    /// "cannot VERB PATH: REASON", with the reason that the system gave.
    package static func file(_ verb: String, _ path: String, _ code: Int32) -> KubeError {
        KubeError(.file, "cannot \(verb) \(path): \(String(cString: strerror(code)))")
    }
}
