import Synchronization

/// Wakes one task that waits for something to do, or for a time. Ringing is never lost: who is not waiting yet
/// does not begin to. Thread-safe.
final class Alarm: Sendable {
    private struct State {
        var hasRung = false
        var sleep: Task<Void, Never>?
    }

    private let state = Mutex(State())

    /// Wakes who waits, or will wait next.
    func ring() {
        state.withLock { state in
            state.hasRung = true
            state.sleep?.cancel()
        }
    }

    /// Returns when it rings, after so long, or when the task is cancelled. For one task at a time.
    func wait(_ longest: Duration) async {
        let sleep = Task { _ = try? await Task.sleep(for: longest) }
        let hasRung = state.withLock { state in
            state.sleep = sleep
            return state.hasRung
        }
        if hasRung { sleep.cancel() }
        await withTaskCancellationHandler {
            await sleep.value
        } onCancel: {
            sleep.cancel()
        }
        state.withLock { $0 = State() }
    }
}
