/// The program's version, in one place.
enum Version {
    static let text = "0.1.0"

    /// How the program introduces itself.
    static var userAgent: String { "plimsoll/\(text) (\(platform))" }

    /// As Kubernetes clients name it: "linux/amd64".
    static var platform: String {
        #if os(Linux)
            let system = "linux"
        #else
            let system = "darwin"
        #endif
        #if arch(x86_64)
            return system + "/amd64"
        #else
            return system + "/arm64"
        #endif
    }
}
