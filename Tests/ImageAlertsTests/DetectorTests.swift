import Foundation
import ImageAlerts
import NodeWatch
import Testing

@Suite("What is a change")
struct DetectorTests {
    private let a = image(100, "r/a@sha256:aa", "r/a:1")
    private let b = image(50, "r/b@sha256:bb", "r/b:1")

    @Test func `an image that comes, goes, or takes another's place`() {
        #expect(changes([[a], [a, b]]).map(words) == ["+r/b:1 pull"])
        #expect(changes([[a, b], [a]]).map(words) == ["-r/b:1 gc"])
        let next = image(50, "r/b@sha256:b2", "r/b:2")
        #expect(changes([[a, b], [a, next]]).map(words) == ["+r/b:2 -r/b:1 replace"])
        let other = image(50, "r/z@sha256:zz", "r/z:1")
        let swap = changes([[a, b], [a, other]])
        #expect(swap.map(words) == ["+r/z:1 -r/b:1 replace"])
        #expect(swap[0]?.deltaBytes == 0)
    }

    @Test func `not another order, another tag on a digest, or a name more or less`() {
        #expect(changes([[a, b], [b, a]]).map(words) == ["none"])
        #expect(changes([[a], [image(100, "r/a@sha256:aa", "r/a:2")]]).map(words) == ["none"])
        #expect(changes([[a], [image(100, "mirror/a@sha256:aa")]]).map(words) == ["none"])
        // Where one has no digest: the same size and a name in common.
        #expect(changes([[a], [image(100, "r/a:1")]]).map(words) == ["none"])
        #expect(changes([[image(100, "r/a:1")], [a]]).map(words) == ["none"])
        #expect(
            changes([[image(9, "r/a:1", "r/a:x")], [image(9, "r/a:x")]]).map(words) == ["none"])
    }

    @Test func `a tag-only image under a new tag, and the same tag with a new size`() {
        #expect(
            changes([[image(9, "r/a:1")], [image(9, "r/a:2")]]).map(words)
                == ["+r/a:2 -r/a:1 replace"])
        #expect(
            changes([[image(9, "r/a:1")], [image(8, "r/a:1")]]).map(words)
                == ["+r/a:1 -r/a:1 replace"])
    }

    @Test func `not a list that is missing or empty, but what differs after it`() {
        #expect(changes([[a], nil, [a]]).map(words) == ["none", "none"])
        #expect(changes([[a], [], [a]]).map(words) == ["none", "none"])
        #expect(changes([[a], nil, nil, [a, b]]).map(words) == ["none", "none", "+r/b:1 pull"])
        #expect(changes([nil, [a]]).map(words) == ["none"])
        #expect(changes([[], [a], [a, b]]).map(words) == ["none", "+r/b:1 pull"])
    }

    @Test func `not another node under the same name`() {
        var detector = ImageChangeDetector()
        _ = detector.observe(.added(node([a]), isInInitialList: true), at: start)
        _ = detector.observe(.updated(old: node([a]), new: node(nil, version: 2)), at: start)
        _ = detector.observe(.deleted(node(nil, version: 3)), at: start)
        _ = detector.observe(
            .added(node(nil, uid: "v", version: 4), isInInitialList: false), at: start)
        let change = detector.observe(
            .updated(
                old: node(nil, uid: "v", version: 4), new: node([b], uid: "v", version: 5)),
            at: start)
        #expect(words(change) == "none")
    }

    /// Fifty images, the smallest of 101 bytes.
    private let full = (1...50).map { image(100 + $0, "r/i@sha256:\($0)", "r/i\($0):1") }

    @Test func `not what moves over the edge of a cut list`() {
        // A large image pushes the smallest one out: only the arrival is known.
        let large = image(500, "r/large@sha256:l", "r/large:1")
        let pushed = [large] + full.dropFirst()
        #expect(changes([full, pushed]).map(words) == ["+r/large:1 pull"])
        // It goes, and the small one is seen again: only the departure is known.
        let back = changes([pushed, full])
        #expect(back.map(words) == ["-r/large:1 gc"])
        #expect(back[0]?.isTruncated == true)
        // Equal sizes at the very edge: which of them is listed says nothing.
        let tie = [image(101, "r/tie@sha256:e", "r/tie:1")] + full.dropFirst()
        #expect(changes([full, tie]).map(words) == ["+r/tie:1 -r/i1:1 truncation-shift"])
        // But what would have to be listed, and is not, is gone.
        let edge = [image(100, "r/edge@sha256:e", "r/edge:1")] + full.dropFirst()
        #expect(changes([full, edge]).map(words) == ["-r/i1:1 gc"])
    }

    @Test func `takes 50 for the cap until a node of the pool lists more, or as told`() {
        let more = full + [image(90, "r/m@sha256:m", "r/m:1")]
        // 51 are listed, so 50 was no cap: what is missing then is gone.
        #expect(changes([more, full]).map(words) == ["-r/m:1 gc"])
        #expect(changes([full, Array(full.dropFirst())], cap: .none).map(words) == ["-r/i1:1 gc"])
        let ten = Array(full.suffix(10))
        let shifted = [image(500, "r/l@sha256:l", "r/l:1")] + ten.dropFirst()
        #expect(changes([ten, shifted], cap: .images(10)).map(words) == ["+r/l:1 pull"])
        #expect(
            changes([ten, shifted], cap: .assumed).map(words) == ["+r/l:1 -r/i41:1 pull"])
    }
}
