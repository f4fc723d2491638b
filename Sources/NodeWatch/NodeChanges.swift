/// The changes of a cluster's nodes: first those that are there, then what happens, for ever, or
/// until the informer stops.
///
/// Every iteration is a reader of its own with a bounded queue; see ``NodeChange`` for what a slow
/// one gets.
public struct NodeChanges: AsyncSequence, Sendable {
    /// A change.
    public typealias Element = NodeChange

    let hub: NodeHub
    let queueLimit: Int

    /// Begins to read.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(hub: hub, queueLimit: queueLimit)
    }

    /// One reader. It is gone from the informer when the last copy is.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private final class Subscription: Sendable {
            let hub: NodeHub
            let id: Int

            init(_ hub: NodeHub, _ id: Int) {
                self.hub = hub
                self.id = id
            }

            deinit { hub.unsubscribe(id) }
        }

        private let subscription: Subscription
        private var signal: AsyncStream<Void>.AsyncIterator
        private var waiting: ArraySlice<NodeChange> = []

        init(hub: NodeHub, queueLimit: Int) {
            let (id, stream) = hub.subscribe(queueLimit: queueLimit)
            subscription = Subscription(hub, id)
            signal = stream.makeAsyncIterator()
        }

        /// The next change; nil when the informer has stopped or the task is cancelled.
        public mutating func next() async -> NodeChange? {
            await next(isolation: nil)
        }

        /// The next change; nil when the informer has stopped or the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async -> NodeChange? {
            if let change = waiting.popFirst() { return change }
            while !Task.isCancelled {
                waiting = subscription.hub.next(subscription.id)[...]
                if let change = waiting.popFirst() { return change }
                guard await signal.next(isolation: actor) != nil else {
                    // The end was told; what was queued before it is still to come.
                    waiting = subscription.hub.next(subscription.id)[...]
                    return waiting.popFirst()
                }
            }
            return nil
        }
    }
}
