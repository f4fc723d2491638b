#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A line at once, for whoever reads it through a pipe, as a pod's logs are.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
