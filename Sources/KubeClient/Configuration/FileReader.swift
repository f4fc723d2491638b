#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads files into memory, with errors that name them.
package enum FileReader {
    /// Reads a whole file.
    ///
    /// - Throws: `file`.
    package static func read(_ path: String) throws(KubeError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw KubeError(.file, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = systemRead(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw KubeError(.file, "cannot read \(path): \(String(cString: strerror(errno)))")
            }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    private static func systemRead(
        _ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, bytes, count)
        #else
            Darwin.read(descriptor, bytes, count)
        #endif
    }
}
