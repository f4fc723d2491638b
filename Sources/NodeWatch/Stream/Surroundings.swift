package import KubeClient
package import WatchEngine

/// All that a runner meets and does not decide: the server, time and chance. In a program that is the
/// network (``Network``); a simulation puts a server without sockets and a clock of its own in its
/// place, so that whole histories repeat from a seed.
///
/// One stream at a time. Belongs to the runner's thread.
package protocol Surroundings: AnyObject {
    var now: ContinuousClock.Instant { get }
    /// Nothing is to be done any more.
    var isCancelled: Bool { get }
    /// Waits. True: cancelled meanwhile.
    func sleep(_ delay: Duration) -> Bool
    /// Uniform from 0 to 1.
    func chance() -> Double

    /// Opens a stream in the last one's place.
    ///
    /// - Returns: Whether the images' ids begin anew.
    func open(
        _ request: StreamRequest, _ projection: UnsafePointer<plm_projection>
    ) throws(KubeError) -> Bool
    /// Waits for events, `timeout` at most, and lends them to `body`. A batch without events means that
    /// nothing came in time.
    func next<Result>(
        within timeout: Duration, _ body: (UnsafeBufferPointer<plm_event>, plm_batch) -> Result
    ) -> Result
    /// From now on bytes gather for so long before they are read.
    func setWindow(_ window: Duration)
    /// Nobody refers to these images any more.
    func retireImages(_ ids: [UInt32])
    /// The server refused the credential. Whether another may be had.
    func credentialWasRefused() -> Bool

    /// For who wants to see what is asked and answered.
    func trace(_ trace: KubeTrace)
}

/// What a runner asks for.
package struct StreamRequest: Sendable {
    /// Path and query.
    package var target: String
    package var accept: String
    /// To the head of the answer, where less than usual will do.
    package var patience: Duration?
    /// Bytes gather for so long before they are read.
    package var window: Duration
    /// It goes on until something ends it.
    package var isStream: Bool
    /// Batches come with the bytes they were made of.
    package var keepsRaw = false
}
