package import KubeClient
import Synchronization

/// A recording that is being made. All methods may be called from any thread.
package final class Recording: Sendable {
    private struct State {
        var writer: RecordingWriter
        var anonymiser: Anonymiser?
        var fault: KubeError?
    }

    private let state: Locked<State>
    private let onFault: @Sendable (KubeError) -> Void

    /// - Parameters:
    ///   - anonymiser: Gives everything another name; nil: all is recorded as it is.
    ///   - onFault: Called once, when something could not be written; the recording ends there.
    package init(
        _ writer: sending RecordingWriter, _ anonymiser: sending Anonymiser?,
        onFault: @escaping @Sendable (KubeError) -> Void
    ) {
        state = Locked(State(writer: writer, anonymiser: anonymiser))
        self.onFault = onFault
    }

    /// Bytes written so far.
    package var writtenBytes: Int { state.withLock { $0.writer.writtenBytes } }

    /// Takes a piece down, at a time since the recording began.
    func write(_ piece: RecordingPiece, at time: Duration) {
        let fault = state.withLock { state -> KubeError? in
            guard state.fault == nil else { return nil }
            do throws(KubeError) {
                for piece in state.anonymiser?.pieces(piece) ?? [piece] {
                    try state.writer.write(piece, at: time)
                }
            } catch {
                state.fault = error
                return error
            }
            return nil
        }
        if let fault { onFault(fault) }
    }
}
