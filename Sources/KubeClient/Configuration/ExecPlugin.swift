import Dispatch
import FoundationEssentials
import Subprocess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A credential plugin as a kubeconfig describes it: a program that prints a token or a certificate
/// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
struct ExecPlugin: Sendable {
    enum InteractiveMode: String, Sendable {
        case never = "Never"
        case ifAvailable = "IfAvailable"
        case always = "Always"
    }

    static let group = "client.authentication.k8s.io"
    /// Somebody may have to find a phone.
    static let interactivePatience = Duration.seconds(300)
    /// An answer is a few kB.
    private static let maxAnswerBytes = 1 << 20

    var apiVersion: String
    /// A path when it holds a slash, else a name to be found in PATH.
    var command: String
    var arguments: [String]
    var environment: [(name: String, value: String)]
    var installHint: String?
    var interactiveMode: InteractiveMode
    /// JSON for the plugin about the cluster, where it wants that.
    var clusterInfo: String?
    /// For messages: the user it belongs to.
    var user: String
    /// Longer, and it counts as stuck.
    var patience = Duration.seconds(60)

    /// What a plugin answered.
    struct Credential: Sendable, Hashable {
        var token: String?
        var certificate: String?
        var key: String?
        var expiration: Date?
    }

    // MARK: Reading the kubeconfig

    /// Reads `exec` of a user.
    init(_ exec: YAML, _ entry: Kubeconfig.Entry, user: String, clusterInfo: String?)
        throws(KubeError)
    {
        func invalid(_ line: Int, _ message: String) -> KubeError {
            Kubeconfig.invalid("\(entry.file), line \(line): `exec` of user \"\(user)\" \(message)")
        }
        let version = exec["apiVersion"]?.string ?? ""
        guard ["\(Self.group)/v1", "\(Self.group)/v1beta1"].contains(version) else {
            throw invalid(
                exec.line,
                "has apiVersion \"\(version)\"; \(Self.group)/v1 and v1beta1 are supported")
        }
        guard let command = exec["command"]?.string, !command.isEmpty else {
            throw invalid(exec.line, "has no `command`")
        }
        let mode = exec["interactiveMode"]
        if let mode, InteractiveMode(rawValue: mode.string ?? "") == nil {
            throw invalid(
                mode.line,
                "has interactiveMode \"\(mode.string ?? "")\"; it must be "
                    + "Never, IfAvailable or Always")
        }
        if mode == nil, version.hasSuffix("/v1") {
            throw invalid(exec.line, "must say its interactiveMode: Never, IfAvailable or Always")
        }
        apiVersion = version
        // As a shell does it: with a slash it is a path, relative to the kubeconfig.
        self.command =
            command.contains("/") && !command.hasPrefix("/") ? entry.folder + command : command
        arguments = (exec["args"]?.elements ?? []).compactMap(\.string)
        environment = (exec["env"]?.elements ?? []).compactMap { pair in
            pair["name"]?.string.map { ($0, pair["value"]?.string ?? "") }
        }
        installHint = exec["installHint"]?.string
        interactiveMode = mode?.string.flatMap(InteractiveMode.init) ?? .ifAvailable
        self.clusterInfo = clusterInfo
        self.user = user
    }

    // MARK: Running

    /// Runs the plugin and waits for its answer on the calling thread, which must be one that may
    /// block.
    ///
    /// - Parameter isCancelled: Asked every 5 ms; the plugin is ended when it says so.
    /// - Throws: `credentials`, `cancelled`.
    func run(_ isCancelled: @escaping @Sendable () -> Bool) throws(KubeError) -> Credential {
        let result = Blocking.wait { () async -> Result<[UInt8], KubeError> in
            await answer(isCancelled)
        }
        return try parse(try result.get())
    }

    private func answer(
        _ isCancelled: @escaping @Sendable () -> Bool
    ) async -> Result<[UInt8], KubeError> {
        let isTerminal = isatty(STDIN_FILENO) == 1
        if interactiveMode == .always, !isTerminal {
            return .failure(failed("wants to ask questions, but standard input is no terminal"))
        }
        let isInteractive = interactiveMode != .never && isTerminal
        var options = PlatformOptions()
        // A group of its own, so that all it starts can be ended with it. Not when it talks to the
        // terminal: only the group in the foreground may read there.
        if !isInteractive { options.processGroupID = 0 }
        let limit = isInteractive ? Self.interactivePatience : patience
        let configuration = Configuration(
            executable: command.contains("/") ? .path(FilePath(command)) : .name(command),
            arguments: Arguments(arguments),
            environment: .inherit.updating(variables(isInteractive)), platformOptions: options)
        do {
            return isInteractive
                ? try await collect(configuration, .currentStandardInput, limit, false, isCancelled)
                : try await collect(configuration, .none, limit, true, isCancelled)
        } catch let error as SubprocessError where error.code == .executableNotFound {
            let hint = installHint.map { ". \(Self.printable($0))" } ?? ""
            return .failure(failed("is not installed\(hint)"))
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            return .failure(failed("answered with more than \(Self.maxAnswerBytes) bytes"))
        } catch {
            return .failure(failed("cannot be run: \(error)"))
        }
    }

    private enum Interruption: Sendable { case none, late, cancelled }

    private func collect(
        _ configuration: Configuration, _ input: some InputProtocol, _ limit: Duration,
        _ hasGroup: Bool, _ isCancelled: @escaping @Sendable () -> Bool
    ) async throws -> Result<[UInt8], KubeError> {
        let result = try await Subprocess.run(
            configuration, input: input, output: .bytes(limit: Self.maxAnswerBytes),
            error: .currentStandardError
        ) { execution -> Interruption in
            let end = ContinuousClock.now + limit
            let process = execution.processIdentifier.value
            while !Self.hasExited(process) {
                let isLate = ContinuousClock.now >= end
                if isLate || isCancelled() {
                    kill(hasGroup ? -process : process, SIGKILL)
                    return isLate ? .late : .cancelled
                }
                try? await Task.sleep(for: .milliseconds(5))
            }
            // What it left running would keep its output open.
            if hasGroup { kill(-process, SIGKILL) }
            return .none
        }
        switch result.closureResult {
        case .cancelled: return .failure(KubeError(.cancelled, "cancelled"))
        case .late:
            return .failure(failed("gave no answer in \(limit) and was ended"))
        case .none: break
        }
        switch result.terminationStatus {
        case .exited(0): return .success(result.standardOutput)
        case .exited(let code): return .failure(failed("failed with exit code \(code)"))
        case .signaled(let signal): return .failure(failed("was ended by signal \(signal)"))
        }
    }

    /// Whether the process has ended, without taking its status from who waits for it.
    private static func hasExited(_ process: pid_t) -> Bool {
        var information = siginfo_t()
        let status = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
        if status != 0 { return true }
        return information.si_signo == SIGCHLD
    }

    private func variables(_ isInteractive: Bool) -> [Environment.Key: String?] {
        var spec = "\"interactive\":\(isInteractive)"
        if let clusterInfo { spec = "\"cluster\":\(clusterInfo)," + spec }
        let information =
            "{\"kind\":\"ExecCredential\",\"apiVersion\":\"\(apiVersion)\",\"spec\":{\(spec)}}"
        let pairs = environment + [("KUBERNETES_EXEC_INFO", information)]
        return pairs.reduce(into: [:]) { variables, pair in
            if let key = Environment.Key(rawValue: pair.0) { variables[key] = pair.1 }
        }
    }

    // MARK: Reading the answer

    func parse(_ bytes: [UInt8]) throws(KubeError) -> Credential {
        let answer: YAML
        do {
            answer = try YAML(bytes)
        } catch {
            // Its words may hold secrets: none of them goes into the message.
            throw failed("answered neither JSON nor YAML (line \(error.line))")
        }
        guard answer["kind"]?.string == "ExecCredential" else {
            throw failed("did not answer with an ExecCredential")
        }
        let version = answer["apiVersion"]?.string ?? ""
        guard version == apiVersion else {
            throw failed(
                "answered with apiVersion \"\(Self.printable(version))\", not \(apiVersion)")
        }
        guard let status = answer["status"] else { throw failed("answered without `status`") }
        let credential = Credential(
            token: status["token"]?.string, certificate: status["clientCertificateData"]?.string,
            key: status["clientKeyData"]?.string, expiration: try expiration(status))
        if (credential.certificate == nil) != (credential.key == nil) {
            throw failed("answered with only one of clientCertificateData and clientKeyData")
        }
        guard credential.token?.isEmpty == false || credential.certificate != nil else {
            throw failed("answered with neither a token nor a certificate")
        }
        return credential
    }

    private func expiration(_ status: YAML) throws(KubeError) -> Date? {
        guard let text = status["expirationTimestamp"]?.string else { return nil }
        for style in [
            Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true),
        ] {
            if let date = try? style.parse(text) { return date }
        }
        throw failed("answered with an expirationTimestamp that is no RFC 3339 time")
    }

    private func failed(_ what: String) -> KubeError {
        let name = command.split(separator: "/").last.map(String.init) ?? command
        return KubeError(
            .credentials, "the exec plugin \(Self.printable(name)) of user \"\(user)\" \(what)")
    }

    /// Without control characters, which could rewrite a terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }))
    }
}

/// A bridge from threads that may block to asynchronous work.
enum Blocking {
    private final class Box<Value: Sendable>: Sendable {
        // SAFETY: written before the semaphore is signalled, read after it was waited for.
        nonisolated(unsafe) var value: Value?
    }

    static func wait<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
        let box = Box<Value>()
        let semaphore = DispatchSemaphore(value: 0)
        Task.detached {
            box.value = await work()
            semaphore.signal()
        }
        semaphore.wait()
        return box.value!
    }
}
