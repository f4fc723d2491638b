#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A thread for work that blocks, which the cooperative pool must not.
package enum DedicatedThread {
    private final class Body {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a new thread and waits for what it gives.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable () -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            start { continuation.resume(returning: body()) }
        }
    }

    private static func start(_ run: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(run)).toOpaque()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        #if canImport(Glibc)
            var thread = pthread_t()
            let entry:
                @Sendable @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
                    Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run()
                    return nil
                }
        #else
            var thread: pthread_t?
            let entry:
                @Sendable @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = {
                    Unmanaged<Body>.fromOpaque($0).takeRetainedValue().run()
                    return nil
                }
        #endif
        let status = pthread_create(&thread, &attributes, entry, context)
        pthread_attr_destroy(&attributes)
        precondition(status == 0, "cannot start a thread: \(status)")
    }
}
