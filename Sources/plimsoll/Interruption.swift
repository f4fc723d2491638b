import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Signals that ask the program to end.
final class Interruption: Sendable {
    // SAFETY: set in init, then only kept alive.
    nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

    /// Calls `body` with the signal's number, SIGINT or SIGTERM, instead of dying of it.
    init(_ body: @escaping @Sendable (Int32) -> Void) {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { body(number) }
            source.resume()
            sources.append(source)
        }
    }
}
