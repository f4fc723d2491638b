import KubeClient
import Synchronization

/// What is made of files that may be replaced under the running process: read again when somebody needs it
/// and some time has passed. What cannot be used leaves the last that could. Thread-safe.
final class ReplacedFile<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var looked: ContinuousClock.Instant
    }

    /// Kubelets bring a replaced secret within about a minute.
    private static var interval: Duration { .seconds(10) }

    private let read: @Sendable () throws -> Value
    private let state: Mutex<State>

    /// - Throws: What `read` does.
    init(_ read: @escaping @Sendable () throws -> Value) throws {
        self.read = read
        state = Mutex(State(value: try read(), looked: .now))
    }

    /// As it is now, or was a moment ago.
    var value: Value {
        state.withLock { state in
            if ContinuousClock.now - state.looked >= Self.interval {
                state.looked = .now
                if let next = try? read() { state.value = next }
            }
            return state.value
        }
    }
}
