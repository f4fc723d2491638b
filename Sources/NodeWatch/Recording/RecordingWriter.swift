import FoundationEssentials
package import KubeClient

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes a recording, piece by piece, each at once: what is there is there when the program is killed.
/// Belongs to one thread.
package final class RecordingWriter {
    private let path: String
    private let descriptor: Int32
    private let encoder = JSONEncoder()
    /// Bytes written so far.
    package private(set) var writtenBytes = 0

    /// Makes a file, or takes a new one's place; "-" is standard output. Nobody else may read it.
    ///
    /// - Throws: `file`.
    package init(_ path: String, _ header: RecordingHeader) throws(KubeError) {
        self.path = path == "-" ? "standard output" : path
        descriptor =
            path == "-"
            ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard descriptor >= 0 else { throw fault("open", errno) }
        try write(header)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// - Parameter time: Since the recording began.
    /// - Throws: `file`.
    package func write(_ piece: RecordingPiece, at time: Duration) throws(KubeError) {
        let micros = (time / .microseconds(1)).rounded()
        var line = RecordingLine(at: micros / 1e6)
        switch piece {
        case .open(let target, let accept): (line.open, line.accept) = (target, accept)
        case .head(let status, let contentType, let retryAfter):
            line.head = .init(status: status, contentType: contentType, retryAfter: retryAfter)
        case .body(let bytes):
            line.body = bytes.count
            try write(line, bytes)
            return
        case .end: line.end = true
        case .failure(let kind, let message):
            (line.failure, line.message) = (kind, message)
        }
        try write(line)
    }

    private func write(_ line: some Encodable, _ body: [UInt8]? = nil) throws(KubeError) {
        // A struct of numbers and strings cannot fail to encode.
        var bytes = Array((try? encoder.encode(line)) ?? Data())
        bytes.append(UInt8(ascii: "\n"))
        if let body {
            bytes += body
            bytes.append(UInt8(ascii: "\n"))
        }
        guard bytes.withUnsafeBytes({ FileWriter.write($0, to: descriptor) }) else {
            throw fault("write", errno)
        }
        writtenBytes += bytes.count
    }

    private func fault(_ verb: String, _ code: Int32) -> KubeError {
        .file(verb, path, code)
    }
}
