import Foundation

/// A simulated cluster in a process of its own, changed by its commands.
package final class SimulatorProcess: Sendable {
    package let program: Program
    /// Path of a kubeconfig for it.
    package let kubeconfig: String

    /// Whether it came through the gate by itself.
    private let isGated: Bool

    /// - Parameter other: Of the same test, which has come through the gate for both: if each waited for
    ///   its turn, tests that hold one and want another would wait for each other.
    package init(
        _ arguments: [String] = [], beside other: SimulatorProcess? = nil
    ) async throws {
        kubeconfig =
            FileManager.default.temporaryDirectory.appending(path: "\(UUID()).kubeconfig").path
        isGated = other == nil
        if isGated { await Gate.simulators.enter() }
        program = try Program(
            "plimsoll-sim", ["--kubeconfig", kubeconfig] + arguments, deadline: .seconds(300))
        try await program.wait(for: "kubeconfig") {
            program.errors.contains("interrupt to stop") ? true : nil
        }
    }

    deinit {
        program.signal(SIGTERM)
        // It may have been stopped.
        program.signal(SIGCONT)
        if isGated { Gate.simulators.leave() }
    }

    package func stop() { program.signal(SIGTERM) }

    /// Runs a command of the simulator's; returns what it prints.
    @discardableResult
    package func command(_ words: String...) async throws -> String {
        let result = try await Program.run(
            "plimsoll-sim", ["--kubeconfig", kubeconfig] + words, deadline: .seconds(60))
        guard result.status == 0 else {
            throw Program.TimedOut(description: "\(words): \(result.errors)")
        }
        return result.output
    }

    /// A node as the simulator's model has it.
    package struct Node: Hashable, Sendable {
        package var name: String
        package var uid: String
        package var resourceVersion: String
        /// Nil: no list.
        package var imageBytes: Int?
        package var imageCount: Int

        package init(
            name: String, uid: String, resourceVersion: String, imageBytes: Int?, imageCount: Int
        ) {
            self.name = name
            self.uid = uid
            self.resourceVersion = resourceVersion
            self.imageBytes = imageBytes
            self.imageCount = imageCount
        }
    }

    /// All nodes, from the model and not from what the server sends.
    package func nodes() async throws -> [Node] {
        try await command("nodes").split(separator: "\n").map { line in
            let parts = line.split(separator: "\t").map(String.init)
            return Node(
                name: parts[0], uid: parts[1], resourceVersion: parts[2],
                imageBytes: Int(parts[3]), imageCount: Int(parts[4]) ?? 0)
        }
    }

    /// What the kubeconfig says.
    package struct Access: Sendable {
        package var server: String
        package var authority: String
        package var token: String
    }

    /// Reads the kubeconfig, as far as the simulator writes it.
    package func access() throws -> Access {
        let text = try String(contentsOfFile: kubeconfig, encoding: .utf8)
        func value(_ key: String) throws -> String {
            guard let start = text.range(of: key + ": ") else {
                throw Program.TimedOut(description: "no \(key) in the kubeconfig")
            }
            return String(text[start.upperBound...].prefix { $0 != "\n" })
        }
        let authority = Data(base64Encoded: try value("certificate-authority-data")) ?? Data()
        return Access(
            server: try value("server"), authority: String(decoding: authority, as: UTF8.self),
            token: try value("token"))
    }
}
