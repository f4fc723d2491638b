#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes files, with errors that name them.
package enum FileWriter {
    /// Writes all of some bytes. False when that was not possible, for the reason in `errno`.
    package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Puts a file in its place, whole or not at all: written beside it first. Nobody else may read it.
    ///
    /// - Throws: `file`.
    package static func replace(_ path: String, with parts: [[UInt8]]) throws(KubeError) {
        let temporary = path + ".new"
        func fault(_ verb: String) -> KubeError {
            let code = errno
            unlink(temporary)
            return .file(verb, temporary, code)
        }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw fault("open") }
        defer { close(descriptor) }
        for part in parts {
            guard part.withUnsafeBytes({ write($0, to: descriptor) }) else { throw fault("write") }
        }
        guard fsync(descriptor) == 0 else { throw fault("write") }
        guard rename(temporary, path) == 0 else { throw fault("rename") }
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Darwin.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
