import FoundationEssentials
package import KubeClient
import WatchEngine

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads a recording, piece by piece; never more of it than that is in memory. Belongs to one thread.
package final class RecordingReader {
    /// Of one line. A request's target is the longest there is.
    private static let mostLineBytes = 1 << 20
    /// Of one piece of a body: recordings have a megabyte or two.
    private static let mostBodyBytes = 64 << 20

    package let header: RecordingHeader
    /// It ends within a piece, as where the recording program was killed.
    package private(set) var isCut = false

    private let path: String
    private let input: Input
    private var lineNumber = 1
    private let decoder = JSONDecoder()

    /// Opens a file; "-" is standard input.
    ///
    /// - Throws: `file`, also where it is no recording.
    package init(_ path: String) throws(KubeError) {
        self.path = path == "-" ? "standard input" : path
        input = try Input(path)
        let line = try input.line(atMost: Self.mostLineBytes) ?? []
        guard let header = try? decoder.decode(RecordingHeader.self, from: Data(line)) else {
            throw KubeError(
                .file, "\(self.path): not a recording of `plimsoll record`, by its first line")
        }
        guard header.plimsollRecording <= RecordingHeader.currentVersion else {
            throw KubeError(
                .file,
                "\(self.path): a recording of version \(header.plimsollRecording); this program reads "
                    + "version \(RecordingHeader.currentVersion): use the one that recorded it, "
                    + header.program)
        }
        self.header = header
    }

    /// The next piece and its time since the recording began; nil at the end.
    ///
    /// - Throws: `file`: what cannot be read, or is no such piece, by its line.
    package func next() throws(KubeError) -> (piece: RecordingPiece, at: Duration)? {
        lineNumber += 1
        guard let bytes = try input.line(atMost: Self.mostLineBytes) else {
            isCut = input.hasRest
            return nil
        }
        guard let line = try? decoder.decode(RecordingLine.self, from: Data(bytes)) else {
            throw fault("not a piece of a recording")
        }
        guard line.at >= 0, line.at < 1e9 else { throw fault("\"at\" is out of bounds") }
        let time = Duration.microseconds((line.at * 1e6).rounded())
        if let count = line.body {
            guard (0...Self.mostBodyBytes).contains(count) else {
                throw fault("\"body\" is \(count); at most \(Self.mostBodyBytes) bytes are read")
            }
            guard let body = try input.bytes(count) else {
                isCut = true
                return nil
            }
            lineNumber += body.count { $0 == UInt8(ascii: "\n") } + 1
            return (.body(body), time)
        }
        return (try piece(line), time)
    }

    private func piece(_ line: RecordingLine) throws(KubeError) -> RecordingPiece {
        if let target = line.open { return .open(target: target, accept: line.accept ?? "") }
        if let head = line.head {
            return .head(
                status: head.status, contentType: head.contentType, retryAfter: head.retryAfter)
        }
        if line.end == true { return .end }
        guard let name = line.failure else { throw fault("not a piece that this version knows") }
        guard plm_failure_kind(recordedName: name) != nil else {
            throw fault("\"\(name)\" is no failure that this version knows")
        }
        return .failure(name, message: line.message ?? "")
    }

    private func fault(_ problem: String) -> KubeError {
        KubeError(.file, "\(path):\(lineNumber): \(problem)")
    }
}

/// Lines and bytes of a file.
private final class Input {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ path: String) throws(KubeError) {
        self.path = path == "-" ? "standard input" : path
        descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault("open", errno) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Something is left that is no whole line.
    var hasRest: Bool { start < buffer.count }

    /// The next line without its break; nil at the end of the file.
    func line(atMost limit: Int) throws(KubeError) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            searched = buffer.count
            guard searched - start <= limit else {
                throw KubeError(.file, "\(path): a line of more than \(limit) bytes")
            }
            let offset = searched - start
            guard try fill() else { return nil }
            searched = start + offset
        }
    }

    /// So many bytes and the line break after them; nil where the file ends before.
    func bytes(_ count: Int) throws(KubeError) -> [UInt8]? {
        while buffer.count - start <= count {
            guard try fill() else { return nil }
        }
        guard buffer[start + count] == UInt8(ascii: "\n") else {
            throw KubeError(.file, "\(path): no line break after \(count) bytes of body")
        }
        defer { start += count + 1 }
        return Array(buffer[start..<(start + count)])
    }

    /// Reads on. False at the end of the file.
    private func fill() throws(KubeError) -> Bool {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        let room = 256 << 10
        var fault: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: room) { bytes, filled in
            var count: Int
            repeat {
                count = FileReader.systemRead(descriptor, bytes.baseAddress!, room)
            } while count < 0 && errno == EINTR
            fault = count < 0 ? errno : 0
            filled = max(0, count)
        }
        guard fault == 0 else { throw self.fault("read", fault) }
        buffer += piece
        return !piece.isEmpty
    }

    private func fault(_ verb: String, _ code: Int32) -> KubeError {
        .file(verb, path, code)
    }
}
