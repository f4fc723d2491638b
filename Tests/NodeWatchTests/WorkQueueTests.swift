import KubeClient
import NodeWatch
import Synchronization
import TestSupport
import Testing

/// A value that several tasks change.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Locked<Value>

    init(_ value: Value) { self.value = Locked(value) }

    func withLock<Result: Sendable>(_ body: (inout sending Value) -> sending Result) -> Result {
        value.withLock { body(&$0) }
    }
}

/// The documented behaviour of client-go's `workqueue`, one test a rule.
@Suite("WorkQueue", .timeLimit(.minutes(Patience.minutes)))
struct WorkQueueTests {
    @Test func `gives keys in the order in which they were added`() async {
        let queue = WorkQueue<Int>()
        for key in 0..<10_000 { queue.add(key) }
        for key in 0..<10_000 {
            #expect(await queue.next() == key)
            queue.done(key)
        }
        #expect(queue.count == 0)
    }

    @Test func `works once on a key that was added several times`() async {
        let queue = WorkQueue<String>()
        for _ in 0..<3 { queue.add("a") }
        queue.add("b")
        #expect(queue.count == 2)
        #expect(await queue.next() == "a")
        #expect(await queue.next() == "b")
        #expect(queue.count == 0)
    }

    @Test func `works again on a key that was added while it was worked on, and not before`() async
    {
        let queue = WorkQueue<String>()
        queue.add("a")
        #expect(await queue.next() == "a")
        queue.add("a")
        queue.add("a")
        queue.add("b")
        #expect(queue.count == 1)
        #expect(await queue.next() == "b")
        queue.done("a")
        #expect(await queue.next() == "a")
        queue.done("a")
        queue.done("b")
        #expect(queue.count == 0)
    }

    @Test func `never works on a key twice at once, and misses no addition`() async {
        let queue = WorkQueue<Int>()
        let added = Shared([Int: Int]())
        let seen = Shared([Int: Int]())
        let working = Shared(Set<Int>())
        let faults = Shared(0)
        let workers = Task {
            await queue.run(workers: 8) { key in
                if !working.withLock({ $0.insert(key).inserted }) { faults.withLock { $0 += 1 } }
                let version = added.withLock { $0[key] ?? 0 }
                await Task.yield()
                seen.withLock { $0[key] = version }
                _ = working.withLock { $0.remove(key) }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<2000 {
                        let key = (number * 7 + writer) % 50
                        added.withLock { $0[key, default: 0] += 1 }
                        queue.add(key)
                        if number % 20 == 0 { await Task.yield() }
                    }
                }
            }
        }
        await queue.shutDownAndDrain()
        await workers.value
        #expect(faults.withLock { $0 } == 0)
        #expect(seen.withLock { $0 } == added.withLock { $0 })
    }

    @Test func `waits for a key, and no longer than its task`() async {
        let queue = WorkQueue<String>()
        let first = Task { await queue.next() }
        let second = Task { await queue.next() }
        while queue.count > 0 { await Task.yield() }
        try? await Task.sleep(for: .milliseconds(20))
        second.cancel()
        #expect(await second.value == nil)
        queue.add("a")
        #expect(await first.value == "a")
    }

    @Test func `adds a key after its time, the earliest of several`() async {
        let queue = WorkQueue<String>()
        let start = ContinuousClock.now
        queue.add("late", after: .milliseconds(300))
        queue.add("a", after: .seconds(600))
        queue.add("a", after: .milliseconds(100))
        queue.add("a", after: .seconds(900))
        queue.add("now", after: .zero)
        #expect(queue.count == 1)
        #expect(await queue.next() == "now")
        #expect(await queue.next() == "a")
        #expect(ContinuousClock.now - start >= .milliseconds(100))
        #expect(await queue.next() == "late")
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        #expect(queue.count == 0)
    }

    @Test func `waits twice as long after each failure, until the key is forgotten`() async {
        let queue = WorkQueue<String>(
            backoff: .init(
                first: .milliseconds(20), longest: .milliseconds(100),
                rate: RequestRate(perSecond: 1000, burst: 1000)))
        for (failures, least) in [(1, 20), (2, 40), (3, 80), (4, 100), (5, 100)] {
            let start = ContinuousClock.now
            queue.addRateLimited("a")
            #expect(queue.failures(of: "a") == failures)
            #expect(await queue.next() == "a")
            #expect(ContinuousClock.now - start >= .milliseconds(least))
            queue.done("a")
        }
        queue.forget("a")
        #expect(queue.failures(of: "a") == 0)
        queue.forget("never seen")
    }

    @Test func `limits the retries of all keys together`() async {
        let queue = WorkQueue<Int>(
            backoff: .init(
                first: .zero, longest: .zero, rate: RequestRate(perSecond: 50, burst: 5)))
        let start = ContinuousClock.now
        for key in 0..<15 { queue.addRateLimited(key) }
        for _ in 0..<15 { _ = await queue.next() }
        // Five at once, ten at 50 a second.
        #expect(ContinuousClock.now - start >= .milliseconds(190))
    }

    @Test func `tries again what failed, and tells of it`() async {
        struct Failed: Error {}
        let queue = WorkQueue<String>(
            backoff: .init(
                first: .milliseconds(1), longest: .milliseconds(5), rate: .standard))
        let tries = Shared(0)
        let told = Shared([Int]())
        queue.add("a")
        let workers = Task {
            await queue.run(onError: { _, _, failures in told.withLock { $0.append(failures) } }) {
                _ in
                let number = tries.withLock { tries in
                    tries += 1
                    return tries
                }
                if number < 4 { throw Failed() }
                queue.shutDown()
            }
        }
        await workers.value
        #expect(tries.withLock { $0 } == 4)
        #expect(told.withLock { $0 } == [1, 2, 3])
        #expect(queue.failures(of: "a") == 0)
    }

    @Test func `takes nothing after its shutdown, but gives what it has`() async {
        let queue = WorkQueue<String>()
        queue.add("a")
        queue.add("delayed", after: .milliseconds(1))
        queue.shutDown()
        queue.add("b")
        queue.addRateLimited("c")
        #expect(await queue.next() == "a")
        queue.done("a")
        #expect(await queue.next() == nil)
        try? await Task.sleep(for: .milliseconds(20))
        #expect(await queue.next() == nil)
        queue.shutDown()
    }

    @Test func `drains: waits for what is worked on and what was added to that meanwhile`() async {
        let queue = WorkQueue<String>()
        for key in ["a", "b"] { queue.add(key) }
        #expect(await queue.next() == "a")
        queue.add("a")
        let isDrained = Shared(false)
        let draining = Task {
            await queue.shutDownAndDrain()
            isDrained.withLock { $0 = true }
        }
        try? await Task.sleep(for: .milliseconds(20))
        queue.add("too late")
        #expect(await queue.next() == "b")
        queue.done("b")
        #expect(!isDrained.withLock { $0 })
        queue.done("a")
        #expect(await queue.next() == "a")
        #expect(!isDrained.withLock { $0 })
        queue.done("a")
        await draining.value
        #expect(await queue.next() == nil)
        await queue.shutDownAndDrain()
    }

    @Test func `wakes idle workers when it shuts down`() async {
        let queue = WorkQueue<String>()
        let workers = Task { await queue.run(workers: 4) { _ in } }
        try? await Task.sleep(for: .milliseconds(20))
        queue.shutDown()
        await workers.value
        let cancelled = Task { await WorkQueue<String>().run(workers: 4) { _ in } }
        cancelled.cancel()
        await cancelled.value
    }
}
