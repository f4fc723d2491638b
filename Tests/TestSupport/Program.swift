package import Foundation
import Synchronization

/// A child process whose output is collected while it runs. It never outlives its deadline.
package final class Program: Sendable {
    /// What a program left behind.
    package struct Result: Sendable {
        package var status: Int32
        package var output: String
        package var errors: String
    }

    package struct TimedOut: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    private struct State {
        var output = Data()
        var errors = Data()
        var openPipes = 2
    }

    private let process = Process()
    private let name: String
    private let state = Mutex(State())

    /// Starts a program by name (built beside the tests, fetched by the bootstrap, or in PATH).
    package init(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:],
        deadline: Duration = .seconds(120)
    ) throws {
        self.name = ([name] + arguments).joined(separator: " ")
        process.executableURL = try Program.find(name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        try? output.fileHandleForWriting.close()
        try? errors.fileHandleForWriting.close()
        collect(output) { $0.output.append($1) }
        collect(errors) { $0.errors.append($1) }
        let identifier = process.processIdentifier
        Thread.detachNewThread { [weak self] in
            let end = ContinuousClock.now + deadline
            while ContinuousClock.now < end {
                guard let self, self.process.isRunning else { return }
                Thread.sleep(forTimeInterval: 0.2)
            }
            kill(identifier, SIGKILL)
        }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Runs a program to its end.
    package static func run(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:],
        deadline: Duration = .seconds(120)
    ) async throws -> Result {
        try await Program(name, arguments, environment: environment, deadline: deadline).result()
    }

    package var identifier: Int32 { process.processIdentifier }
    package var isRunning: Bool { process.isRunning }
    package var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }
    package var errors: String { state.withLock { String(decoding: $0.errors, as: UTF8.self) } }

    package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end.
    package func result() async throws -> Result {
        while process.isRunning || state.withLock({ $0.openPipes > 0 }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        return Result(status: process.terminationStatus, output: output, errors: errors)
    }

    /// Waits until `found` gives something.
    @discardableResult
    package func wait<Value>(
        for what: String, within limit: Duration = .seconds(60), _ found: () throws -> Value?
    ) async throws -> Value {
        let end = ContinuousClock.now + limit
        while true {
            if let value = try found() { return value }
            if ContinuousClock.now >= end || !process.isRunning {
                if let value = try found() { return value }
                throw TimedOut(
                    description: "\(name): no \(what). Output:\n\(output)\nErrors:\n\(errors)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func collect(
        _ pipe: Pipe, into append: @escaping @Sendable (inout State, Data) -> Void
    ) {
        let handle = pipe.fileHandleForReading
        Thread.detachNewThread { [weak self] in
            while true {
                let data = handle.availableData
                guard let self else {
                    try? handle.close()
                    return
                }
                if data.isEmpty {
                    // Foundation keeps both ends of a pipe for as long as anything of a process lives, and
                    // hears of no process's end any more once descriptors go beyond 1,023.
                    try? handle.close()
                    self.state.withLock { $0.openPipes -= 1 }
                    return
                }
                self.state.withLock { append(&$0, data) }
            }
        }
    }

    private static func find(_ name: String) throws -> URL {
        let folders =
            [
                Checkout.products.path,
                // Sanitizer builds have no simulator of their own: it comes from the ordinary one.
                Checkout.root.appending(path: ".build/release").path,
                Checkout.root.appending(path: ".build-tools/bin").path,
            ]
            + (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(
                String.init)
        for folder in folders {
            let path = folder + "/" + name
            if FileManager.default.isExecutableFile(atPath: path) { return URL(filePath: path) }
        }
        throw TimedOut(description: "\(name) is not to be found; `make bootstrap` installs tools")
    }
}

/// Where things are.
package enum Checkout {
    package static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardized
    /// The folder of the programs built together with the tests.
    package static let products = Bundle.main.executableURL!.deletingLastPathComponent()
    /// Recorded material beside the checkout. May be absent.
    package static let shared = root.appending(path: "../shared").standardized

    /// Names of files in a folder of the recorded material; none where it is absent.
    package static func recorded(_ folder: String, suffix: String) -> [String] {
        let path = shared.appending(path: folder).path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(suffix) }.sorted().map { path + "/" + $0 }
    }
}
