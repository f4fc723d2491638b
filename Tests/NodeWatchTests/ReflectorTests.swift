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

    @Test func `begins with the state of then where the server remembers it, else as ever`() {
        var reflector = reflector()
        let exact = Reflector.Request.list(.exactly("7"), limit: 500, continueToken: nil)
        #expect(reflector.start(listing: "7") == .open(exact))
        // A bad path says nothing of what the server remembers.
        _ = reflector.failed(broken)
        #expect(reflector.waited() == .open(exact))
        let next = Reflector.Request.list(.exactly("7"), limit: 500, continueToken: "t")
        #expect(reflector.pageEnded(version: "7", continueToken: "t") == .open(next))
        #expect(
            reflector.pageEnded(version: "7", continueToken: nil)
                == .commitAndOpen(.watch(after: "7")))

        var late = self.reflector()
        _ = late.start(listing: "7")
        #expect(late.refused(status(410)) == .open(.streamingList(notOlderThan: nil)))
        var rewound = self.reflector()
        _ = rewound.start(listing: "7")
        _ = rewound.refused(status(504, cause: "ResourceVersionTooLarge"))
        #expect(rewound.waited() == .open(.streamingList(notOlderThan: nil)))
        var unlucky = self.reflector()
        _ = unlucky.start(listing: "7")
        for _ in 0..<6 {
            _ = unlucky.failed(broken)
            _ = unlucky.waited()
        }
        #expect(unlucky.isListing && unlucky.waited() == .open(.streamingList(notOlderThan: nil)))
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

    @Test func `asks where the server is after a broken connection, and resumes where it was`() {
        var reflector = watching()
        var delays: [Duration] = []
        // At once after a stream that brought something; then less and less often, for ever.
        for _ in 0..<12 {
            if case .wait(let delay) = reflector.failed(broken) { delays.append(delay) }
            #expect(reflector.resumeVersion == "10")
            #expect(reflector.waited() == .open(.probe))
            #expect(!reflector.isListing && reflector.isProbing)
            #expect(reflector.probed(at: "12", isBehind: false) == .open(.watch(after: "10")))
        }
        let expected = [50, 800, 1600, 3200, 6400].map { Duration.milliseconds($0) }
        #expect(Array(delays.prefix(5)) == expected)
        _ = reflector.progressed(to: "11")
        #expect(reflector.failed(broken) == .wait(.milliseconds(50)))
        #expect(reflector.waited() == .open(.probe))
        // Nobody answers it either.
        #expect(reflector.failed(broken) == .wait(.milliseconds(800)))
        #expect(reflector.waited() == .open(.probe))
        #expect(reflector.relists == 0)
    }

    @Test(arguments: [("9", false), ("10", true)])
    func `drops everything when the server has gone back`(found: String, isBehind: Bool) {
        var reflector = watching()
        _ = reflector.failed(broken)
        _ = reflector.waited()
        #expect(
            reflector.probed(at: found, isBehind: isBehind)
                == .open(.streamingList(notOlderThan: nil)))
        #expect(reflector.rewinds == 1)
        #expect(reflector.initialEventsEnded(at: "9") == .commit)
        #expect(reflector.version == "9")
    }

    @Test func `takes versions without order as they are`() {
        var reflector = watching("a7")
        _ = reflector.failed(broken)
        _ = reflector.waited()
        #expect(reflector.probed(at: "a6", isBehind: false) == .open(.watch(after: "a7")))
    }

    @Test func `asks a silent server where it is`() {
        var reflector = watching()
        #expect(reflector.silent() == .open(.probe))
        #expect(reflector.silences == 1)
        #expect(reflector.probed(at: "10", isBehind: false) == .open(.watch(after: "10")))
    }

    @Test func `watches on where it may not list`() {
        var reflector = watching()
        _ = reflector.silent()
        #expect(reflector.refused(status(403)) == .open(.watch(after: "10")))
        _ = reflector.silent()
        #expect(reflector.refused(status(400)) == .open(.watch(after: "10")))
        _ = reflector.silent()
        _ = reflector.refused(status(503))
        #expect(reflector.waited() == .open(.probe))
    }

    @Test func `lists in pages what never comes whole, each page again by itself`() {
        var reflector = reflector()
        _ = reflector.start()
        _ = reflector.failed(broken, listed: 10)
        #expect(reflector.waited() == .open(.streamingList(notOlderThan: nil)))
        _ = reflector.ended(after: .seconds(3), listed: 20)
        let first = Reflector.Request.list(.mostRecent, limit: 500, continueToken: nil)
        #expect(reflector.waited() == .open(first))
        let second = Reflector.Request.list(.mostRecent, limit: 500, continueToken: "t")
        #expect(reflector.pageEnded(version: "7", continueToken: "t") == .open(second))
        // Not even a page comes whole: smaller ones.
        for (delay, limit) in [(50, 250), (800, 125)] {
            #expect(reflector.failed(broken, listed: 600) == .wait(.milliseconds(delay)))
            let smaller = Reflector.Request.list(.mostRecent, limit: limit, continueToken: "t")
            #expect(reflector.waited() == .open(smaller))
        }
        // Nobody there is no reason for that.
        _ = reflector.failed(KubeError(.connect, "refused"), listed: 600)
        let same = Reflector.Request.list(.mostRecent, limit: 125, continueToken: "t")
        #expect(reflector.waited() == .open(same))
        let third = Reflector.Request.list(.mostRecent, limit: 125, continueToken: "u")
        #expect(reflector.pageEnded(version: "7", continueToken: "u") == .open(third))
        #expect(reflector.failed(broken, listed: 900) == .wait(.milliseconds(50)))
        // It came too late: from the beginning, in pages again.
        _ = reflector.waited()
        _ = reflector.refused(status(410))
        #expect(
            reflector.waited() == .open(.list(.mostRecent, limit: 62, continueToken: nil)))
        #expect(
            reflector.pageEnded(version: "9", continueToken: nil)
                == .commitAndOpen(.watch(after: "9")))
        #expect(reflector.listKind == .list)
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

    @Test(arguments: [
        KubeStatus(
            code: 504, reason: "Timeout",
            message: "Timeout: Too large resource version: 99, current: 5",
            cause: "ResourceVersionTooLarge", retryAfter: nil),
        // 1.17 to 1.18 sent no reason of the cause, others no cause at all.
        KubeStatus(
            code: 504, reason: "Timeout", message: "Too large resource version", cause: "",
            retryAfter: nil),
        KubeStatus(
            code: 504, reason: "Timeout",
            message: "Timeout: Too large resource version: 99, current: 5",
            cause: nil, retryAfter: nil),
    ])
    func `knows each form in which a version is said to be ahead`(answer: KubeStatus) {
        var reflector = watching()
        _ = reflector.refused(status(410))
        _ = reflector.refused(answer)
        #expect(reflector.waited() == .open(.streamingList(notOlderThan: nil)))
    }

    @Test func `waits for a busy server with a streaming list, too, and asks for no other`() {
        var reflector = reflector()
        _ = reflector.start()
        for _ in 0..<20 {
            #expect(reflector.refused(status(429, after: .seconds(40))) == .wait(.seconds(40)))
            #expect(reflector.waited() == .open(.streamingList(notOlderThan: nil)))
        }
    }

    @Test func `lists again at once when the server lost an object that it could not read`() {
        var reflector = watching()
        let answer = KubeStatus(
            code: 500, reason: "StorageReadError", message: "", cause: nil, retryAfter: nil)
        #expect(reflector.refused(answer) == .open(.streamingList(notOlderThan: "10")))
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
