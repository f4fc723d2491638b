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
            throw .file("open", path, errno)
        }
        defer { close(descriptor) }
        // As large as it says, and a byte more to see the end; what grows, or is no file, is read on.
        var status = stat()
        let size = fstat(descriptor, &status) == 0 ? max(0, Int(status.st_size)) : 0
        var bytes: [UInt8] = []
        while true {
            let room = bytes.isEmpty ? size + 1 : max(1 << 16, bytes.count)
            var fault: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
                while filled < room {
                    let count = systemRead(
                        descriptor, buffer.baseAddress! + filled, room - filled)
                    if count == 0 { return }
                    if count > 0 {
                        filled += count
                    } else if errno != EINTR {
                        fault = errno
                        return
                    }
                }
            }
            guard fault == 0 else {
                throw .file("read", path, fault)
            }
            if bytes.isEmpty { bytes = piece } else { bytes.append(contentsOf: piece) }
            if piece.count < room { return bytes }
        }
    }

    /// The system call.
    package static func systemRead(
        _ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, bytes, count)
        #else
            Darwin.read(descriptor, bytes, count)
        #endif
    }
}

extension String {
    /// Without spaces and line breaks around it, as secrets are that lie in files.
    package var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
