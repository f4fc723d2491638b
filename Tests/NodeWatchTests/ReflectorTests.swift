import KubeClient
import NodeWatch
import Testing

@Suite("Reflector")
struct ReflectorTests {
    private func reflector(jitter: Double = 0.5) -> Reflector { Reflector { jitter } }

    /// One that watches after `version`.
    private func watching(_ version: String = "10") -> Reflector {
        var reflector = reflector()
        _ = reflector.start()
        #expect(reflector.initialEventsEnded(at: version) == .commit)
        return reflector
    }

    private func status(_ code: Int, cause: String? = nil, after: Duration? = nil) -> KubeStatus {
        KubeStatus(code: code, reason: "", message: "", cause: cause, retryAfter: after)
    }

    private let broken = KubeError(.transport, "reset")

    @Test func `asks for a streaming list of the most recent state first`() {
        var reflector = reflector()
        #expect(reflector.start() == .open(.streamingList(notOlderThan: nil)))
        #expect(reflector.progressed(to: "99") == .proceed)
        #expect(reflector.version == nil)
        #expect(reflector.initialEventsEnded(at: "10") == .commit)
        #expect(reflector.version == "10" && !reflector.isListing)
        #expect(reflector.listKind == .watchList)
    }

    @Test(arguments: [400, 404, 422])
    func `falls back to a plain list where streaming is refused, and remembers it`(code: Int) {
        var reflector = reflector()
        _ = reflector.start()
        #expect(reflector.refused(status(code)) == .open(.list(.any, limit: 0, continueToken: nil)))
        #expect(
            reflector.pageEnded(version: "5", continueToken: nil)
                == .commitAndOpen(.watch(after: "5")))
        #expect(
            reflector.refused(status(410))
                == .open(.list(.notOlderThan("5"), limit: 0, continueToken: nil)))
    }

    @Test func `gives a streaming list up when its end is overdue`() {
        var reflector = reflector()
        _ = reflector.start()
        #expect(reflector.stalled() == .open(.list(.any, limit: 0, continueToken: nil)))
    }

    @Test func `starts a streaming list anew when it breaks, then tries a plain one`() {
        var reflector = reflector()
        _ = reflector.start()
        for _ in 0..<2 {
            _ = reflector.failed(broken)
            #expect(reflector.waited() == .open(.streamingList(notOlderThan: nil)))
        }
        _ = reflector.failed(broken)
        #expect(reflector.waited() == .open(.list(.any, limit: 0, continueToken: nil)))
    }

    @Test func `resumes at the same version after an ordinary end, at once`() {
        var reflector = watching()
        _ = reflector.progressed(to: "12")
        #expect(reflector.ended(after: .seconds(400)) == .open(.watch(after: "12")))
        #expect(reflector.ended(after: .seconds(2)) == .open(.watch(after: "12")))
        // One that ends at once must not become a hot loop.
        #expect(reflector.ended(after: .milliseconds(3)) == .wait(.milliseconds(800)))
        #expect(reflector.waited() == .open(.watch(after: "12")))
    }

    @Test func `resumes at the same version after a broken connection, with growing delays`() {
        var reflector = watching()
        var delays: [Duration] = []
        for _ in 0..<4 {
            if case .wait(let delay) = reflector.failed(broken) { delays.append(delay) }
            #expect(reflector.waited() == .open(.watch(after: "10")))
        }
        #expect(delays == [800, 1600, 3200, 6400].map { .milliseconds($0) })
        _ = reflector.progressed(to: "11")
        #expect(reflector.failed(broken) == .wait(.milliseconds(800)))
    }

    @Test func `lists again after five failures at one version`() {
        var reflector = watching()
        for _ in 0..<4 {
            _ = reflector.refused(status(500))
            #expect(reflector.waited() == .open(.watch(after: "10")))
        }
        _ = reflector.refused(status(500))
        #expect(reflector.waited() == .open(.streamingList(notOlderThan: "10")))
    }

    @Test func `limits delays and spreads them`() {
        for (jitter, expected) in [(0.0, 15.0), (1.0, 45.0)] {
            var reflector = reflector(jitter: jitter)
            _ = reflector.start()
            var last = Reflector.Action.proceed
            for _ in 0..<40 { last = reflector.failed(broken) }
            #expect(last == .wait(.seconds(expected)))
        }
    }

    @Test func `lists again when the server has forgotten the version`() {
        var reflector = watching()
        #expect(reflector.refused(status(410)) == .open(.streamingList(notOlderThan: "10")))
        // It has forgotten so much that not even a list will do.
        #expect(reflector.refused(status(410)) == .open(.streamingList(notOlderThan: nil)))
        #expect(reflector.initialEventsEnded(at: "50") == .commit)
        #expect(reflector.relists == 1)
    }

    @Test func `asks for the most recent state when its version is ahead of the server`() {
        var reflector = watching()
        _ = reflector.refused(status(410))
        let answer = status(504, cause: "ResourceVersionTooLarge", after: .seconds(1))
        #expect(reflector.refused(answer) == .wait(.milliseconds(1600)))
        #expect(reflector.waited() == .open(.streamingList(notOlderThan: nil)))
    }

    @Test func `waits as long as a busy server wants, and never lists because of it`() {
        var reflector = watching()
        #expect(reflector.refused(status(429, after: .seconds(7))) == .wait(.seconds(7)))
        #expect(reflector.waited() == .open(.watch(after: "10")))
        for _ in 0..<20 {
            _ = reflector.refused(status(429))
            #expect(reflector.waited() == .open(.watch(after: "10")))
        }
    }

    @Test(arguments: [401, 403])
    func `keeps asking the same where it is not let in`(code: Int) {
        var reflector = watching()
        for _ in 0..<8 {
            _ = reflector.refused(status(code))
            #expect(reflector.waited() == .open(.watch(after: "10")))
        }
    }

    @Test func `turns pages, and reads the whole when one came too late`() {
        var reflector = reflector()
        _ = reflector.start()
        _ = reflector.refused(status(422))
        _ = reflector.refused(status(410))
        var expected = Reflector.Request.list(.mostRecent, limit: 500, continueToken: nil)
        _ = reflector.pageEnded(version: "7", continueToken: "t")
        expected = .list(.mostRecent, limit: 500, continueToken: "u")
        let next = reflector.pageEnded(version: "7", continueToken: "u")
        #expect(next == .open(expected) && next.keepsPages)
        _ = reflector.refused(status(410))
        #expect(reflector.waited() == .open(.list(.mostRecent, limit: 0, continueToken: nil)))
        #expect(
            reflector.pageEnded(version: "9", continueToken: nil)
                == .commitAndOpen(.watch(after: "9")))
    }
}
