/// Where readers get their changes: a hub, whatever its table.
package protocol ChangeSource<Object>: AnyObject, Sendable {
    associatedtype Object: Sendable

    /// A new reader: it gets the objects that are there, then what happens. Wait for `signal` whenever
    /// `next()` has nothing.
    ///
    /// - Parameter merges: What waits is merged by object.
    func subscribe(queueLimit: Int, merges: Bool) -> (id: Int, signal: AsyncStream<Void>)
    func unsubscribe(_ id: Int)
    /// The next changes for a reader; empty when there are none now.
    func next(_ id: Int) -> [ObjectChange<Object>]
}

/// The changes of a cluster's objects: first those that are there, then what happens, for ever, or
/// until the informer stops.
///
/// Every iteration is a reader of its own with a bounded queue; see ``ObjectChange`` for what a slow
/// one gets.
public struct ObjectChanges<Object: Sendable>: AsyncSequence, Sendable {
    /// A change.
    public typealias Element = ObjectChange<Object>

    let source: any ChangeSource<Object>
    let queueLimit: Int
    var merges = true

    /// Begins to read.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source, queueLimit: queueLimit, merges: merges)
    }

    /// One reader. It is gone from the informer when the last copy is.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private final class Subscription: Sendable {
            let source: any ChangeSource<Object>
            let id: Int

            init(_ source: any ChangeSource<Object>, _ id: Int) {
                self.source = source
                self.id = id
            }

            deinit { source.unsubscribe(id) }
        }

        private let subscription: Subscription
        private var signal: AsyncStream<Void>.AsyncIterator
        private var waiting: ArraySlice<Element> = []

        /// Which of the source's readers it is.
        var id: Int { subscription.id }

        init(_ source: any ChangeSource<Object>, queueLimit: Int, merges: Bool = true) {
            let (id, stream) = source.subscribe(queueLimit: queueLimit, merges: merges)
            subscription = Subscription(source, id)
            signal = stream.makeAsyncIterator()
        }

        /// The next change; nil when the informer has stopped or the task is cancelled.
        public mutating func next() async -> Element? {
            await next(isolation: nil)
        }

        /// The next change; nil when the informer has stopped or the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async -> Element? {
            if let change = waiting.popFirst() { return change }
            while !Task.isCancelled {
                waiting = subscription.source.next(subscription.id)[...]
                if let change = waiting.popFirst() { return change }
                guard await signal.next(isolation: actor) != nil else {
                    // The end was told; what was queued before it is still to come.
                    waiting = subscription.source.next(subscription.id)[...]
                    return waiting.popFirst()
                }
            }
            return nil
        }
    }
}

/// The changes of a cluster's nodes.
public typealias NodeChanges = ObjectChanges<NodeSummary>
