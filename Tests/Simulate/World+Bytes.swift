import ClusterSimulator
import Histories
import KubeClient
import NodeWatch
import WatchEngine

extension World {
    /// The next bytes: as many as have come, now and then fewer, whatever an event's end.
    func take(_ stream: inout Stream, _ response: InProcessResponse) -> ArraySlice<UInt8> {
        if stream.waiting.isEmpty, !stream.isOver {
            var gathered: [UInt8] = []
            while gathered.count < 64 << 10 {
                let piece = response.next()
                guard case .bytes(let bytes) = piece else {
                    stream.last = piece
                    break
                }
                gathered += bytes
            }
            stream.waiting = gathered[...]
        }
        var count = stream.waiting.count
        if count == 0 { return [] }
        if path.crumbs > 0 {
            count = min(count, Int.random(in: 1...7, using: &random))
            path.crumbs -= count
        } else if random.next() % 16 == 0 {
            count = Int.random(in: 1...count, using: &random)
        }
        if let left = path.cutAfter {
            count = min(count, left)
            path.cutAfter = left - count
        }
        defer { stream.waiting = stream.waiting.dropFirst(count) }
        return stream.waiting.prefix(count)
    }

    /// The events without the one that a planted bug loses, if it is among them.
    func withBug(_ bug: Plant, _ events: [plm_event]) -> [plm_event] {
        for (at, event) in events.enumerated() {
            switch (bug, event.kind) {
            case (_, .list): isPlanted = true
            case (_, .bookmark) where event.bookmark.initial_events_end: isPlanted = true
            case (.dropDeleted, .deleted) where isPlanted, (.dropListed, .added) where isPlanted:
                isPlanted = false
                log.add(elapsed, "planted: \(bug.rawValue)")
                return Array(events[..<at] + events[(at + 1)...])
            default: break
            }
        }
        return events
    }
}
