import ClusterSimulator
import Foundation
import TestSupport

/// A simulator in this process, with its kubeconfig in a file.
final class RunningSimulator: Sendable {
    let server: SimulatorServer
    let kubeconfig: String

    init(
        _ cluster: Cluster.Options, _ options: SimulatorServer.Options = .init()
    ) async throws {
        server = try await SimulatorServer(Cluster(cluster), options)
        kubeconfig =
            FileManager.default.temporaryDirectory
            .appending(path: "\(UUID()).kubeconfig").path
        try server.kubeconfig().write(toFile: kubeconfig, atomically: true, encoding: .utf8)
    }

    func stop() {
        try? FileManager.default.removeItem(atPath: kubeconfig)
        let server = server
        Task { try? await server.stop() }
    }

    /// An answer with everything about it.
    struct Answer: Sendable {
        var status: Int
        /// By name in lower case.
        var headers: [String: String]
        var body: Data

        /// The text members of `metadata`.
        func metadata() throws -> [String: String] {
            let object = try JSONSerialization.jsonObject(with: body) as? [String: Any]
            let metadata = object?["metadata"] as? [String: Any] ?? [:]
            return metadata.compactMapValues { $0 as? String }
        }
    }

    /// Any request. A body is JSON where the headers do not say otherwise.
    func send(
        _ method: String, _ target: String, token: String? = nil, body: Data = Data(),
        headers: [String: String] = [:]
    ) async throws -> Answer {
        let file = kubeconfig + ".\(UUID()).body"
        try body.write(to: URL(filePath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        var more = ["-i", "-X", method]
        if !body.isEmpty { more += ["--data-binary", "@" + file] }
        let all = (body.isEmpty ? [:] : ["content-type": "application/json"])
            .merging(headers) { $1 }
        for (name, value) in all { more += ["-H", "\(name): \(value)"] }
        let text = try await curl(target, token: token, more).output
        guard let end = text.firstRange(of: "\r\n\r\n") else {
            return Answer(status: 0, headers: [:], body: Data())
        }
        let lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        var found: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            found[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].dropFirst()) : ""
        }
        return Answer(
            status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: found,
            body: Data(text[end.upperBound...].utf8))
    }

    /// What a request gives, status line left out.
    func get(_ target: String, token: String? = nil) async throws -> Data {
        Data(try await curl(target, token: token).output.utf8)
    }

    /// The bytes of an answer, and what they are said to be.
    func bytes(_ target: String, accept: String) async throws -> (type: String, body: [UInt8]) {
        let file = kubeconfig + ".\(UUID()).answer"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let result = try await curl(
            target, token: nil, ["-H", "Accept: \(accept)", "-o", file, "-w", "%{content_type}"])
        return (result.output, Array(try Data(contentsOf: URL(filePath: file))))
    }

    /// The status code of a request.
    func status(_ target: String, token: String? = nil) async throws -> Int {
        let result = try await curl(
            target, token: token, ["-o", "/dev/null", "-w", "%{http_code}"])
        return Int(result.output) ?? 0
    }

    /// A request that runs.
    func program(_ target: String) throws -> Program {
        let authority = kubeconfig + ".\(UUID()).ca"
        try server.authority.certificate.write(toFile: authority, atomically: true, encoding: .utf8)
        return try Program("curl", arguments(target, nil, authority) + ["-N"])
    }

    /// curl's exit code and what it had got by then.
    func run(_ target: String, http: String, seconds: Int) async throws -> (
        status: Int32, body: String
    ) {
        let more = ["-m", "\(seconds)", "-N"]
        let result = try await curl(target, token: nil, more, http: http)
        return (result.status, result.output)
    }

    private func arguments(
        _ target: String, _ token: String?, _ authority: String, http: String = "1.1"
    ) -> [String] {
        [
            "-sS", "--http\(http)", "-A", "test", "--cacert", authority, "-H",
            "Authorization: Bearer \(token ?? server.options.token)", server.url + target,
        ]
    }

    private func curl(
        _ target: String, token: String?, _ more: [String] = [], http: String = "1.1"
    ) async throws -> Program.Result {
        let authority = kubeconfig + ".\(UUID()).ca"
        try server.authority.certificate.write(toFile: authority, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: authority) }
        return try await Program.run("curl", arguments(target, token, authority, http: http) + more)
    }
}
