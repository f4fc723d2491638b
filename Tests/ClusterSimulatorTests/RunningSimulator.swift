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

    /// What a request gives, status line left out.
    func get(_ target: String, token: String? = nil) async throws -> Data {
        Data(try await curl(target, token: token).output.utf8)
    }

    /// The status code of a request.
    func status(_ target: String, token: String? = nil) async throws -> Int {
        let result = try await curl(
            target, token: token, ["-o", "/dev/null", "-w", "%{http_code}"])
        return Int(result.output) ?? 0
    }

    private func curl(
        _ target: String, token: String?, _ more: [String] = []
    ) async throws -> Program.Result {
        let authority = kubeconfig + ".ca"
        try server.authority.certificate.write(toFile: authority, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: authority) }
        return try await Program.run(
            "curl",
            [
                "-sS", "-A", "test", "--cacert", authority, "-H",
                "Authorization: Bearer \(token ?? server.options.token)", server.url + target,
            ] + more)
    }
}
