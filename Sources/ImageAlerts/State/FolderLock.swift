import KubeClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder that one process has for itself, as long as this is there: a lock on a file in it, which the
/// system takes back from a process that ends, however it does.
final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `file`: another process has it, or the file cannot be made.
    init(_ folder: String) throws(KubeError) {
        let path = folder + "/lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw .file("open", path, errno) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            close(opened)
            throw KubeError(.file, "\(folder) is used by another process")
        }
        // Last: once it is set, the end of a failed init would close it again.
        descriptor = opened
    }

    deinit { close(descriptor) }
}
