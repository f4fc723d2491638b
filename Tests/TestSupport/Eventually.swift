/// Waits until something holds, for as long as tests are patient.
///
/// - Parameter what: Says what never came; asked for only then.
/// - Throws: `Program.TimedOut`.
package func eventually(
    _ what: @autoclosure () -> String, _ holds: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + Patience.limit
    while try await !holds() {
        guard ContinuousClock.now < end else {
            throw Program.TimedOut(description: "never: \(what())")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
