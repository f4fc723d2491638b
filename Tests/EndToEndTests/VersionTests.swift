import Foundation
import Testing

@Suite("plimsoll version")
struct VersionTests {
    @Test func `names its version and the libraries it runs with`() throws {
        let process = Process()
        process.executableURL = Bundle.main.executableURL!.deletingLastPathComponent()
            .appendingPathComponent("plimsoll")
        process.arguments = ["version"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(text.hasPrefix("plimsoll 0."))
        #expect(text.contains("libcurl/"))
        #expect(text.contains("yajl/2."))
    }
}
