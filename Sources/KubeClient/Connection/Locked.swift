#if PLIMSOLL_PTHREAD_LOCKS
    #if canImport(Glibc)
        import Glibc
    #else
        import Darwin
    #endif

    /// A value that one thread at a time may touch.
    ///
    /// For ThreadSanitizer, which knows the locks of pthreads and cannot see into Synchronization's:
    /// that waits inside a library that is not instrumented.
    package struct Locked<Value>: ~Copyable, Sendable {
        private final class Storage: @unchecked Sendable {
            // SAFETY: the value is touched under the lock only.
            let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)
            let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

            init(_ initial: sending Value) {
                value.initialize(to: initial)
                pthread_mutex_init(lock, nil)
            }

            deinit {
                pthread_mutex_destroy(lock)
                lock.deallocate()
                value.deinitialize(count: 1)
                value.deallocate()
            }
        }

        private let storage: Storage

        package init(_ value: sending Value) { storage = Storage(value) }

        package borrowing func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(storage.lock)
            defer { pthread_mutex_unlock(storage.lock) }
            return try body(&storage.value.pointee)
        }
    }
#else
    package import Synchronization

    /// A value that one thread at a time may touch.
    package typealias Locked<Value> = Mutex<Value>
#endif
