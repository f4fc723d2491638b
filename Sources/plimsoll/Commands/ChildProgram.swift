#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Finds and runs the simulator, which is a program of its own: what ships in a container has none.
enum ChildProgram {
    static let simulator = "plimsoll-sim"

    /// Beside this program, else in PATH.
    static func find(_ name: String) throws -> String {
        var folders: [String] = []
        if let own = ownFolder { folders.append(own) }
        folders += Terminal.variable("PATH").split(separator: ":").map(String.init)
        for folder in folders where access("\(folder)/\(name)", X_OK) == 0 {
            return "\(folder)/\(name)"
        }
        throw Failure(
            "\(name) is neither beside plimsoll nor in PATH; `make build` in the source builds it")
    }

    /// Becomes another program. Returns only with an error.
    static func replaceSelf(with path: String, _ arguments: [String]) throws -> Never {
        var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        pointers.append(nil)
        signal(SIGPIPE, SIG_DFL)
        execv(path, pointers)
        throw Failure("cannot run \(path): \(String(cString: strerror(errno)))")
    }

    private static var ownFolder: String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
}

/// A program that runs as long as this one holds its standard input, and prints a line when it is
/// ready.
final class RunningChild {
    private let process: pid_t
    private let input: Int32
    private let output: Int32

    init(_ path: String, _ arguments: [String]) throws {
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
            throw Failure("cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        for descriptor in toChild + fromChild {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        // A terminal's Ctrl-C is for us; the child ends when its input does.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        pointers.append(nil)
        var process = pid_t()
        let status = posix_spawn(&process, path, &actions, &attributes, pointers, environ)
        close(toChild[0])
        close(fromChild[1])
        input = toChild[1]
        output = fromChild[0]
        self.process = process
        guard status == 0 else {
            throw Failure("cannot run \(path): \(String(cString: strerror(status)))")
        }
    }

    /// Its first line of output; nil when it ended without one.
    func firstLine() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// Ends it and waits until it is gone.
    func stop() {
        close(input)
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        close(output)
    }
}
