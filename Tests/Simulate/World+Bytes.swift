import ClusterSimulator
import Histories
import KubeClient
import NodeWatch
import WatchEngine

extension World {
    /// The next bytes: as many as have come, now and then fewer, whatever an event's end.
    func take(_ stream: inout Stream) -> ArraySlice<UInt8> {
        if stream.waiting.isEmpty, !stream.isOver {
            var gathered: [UInt8] = []
            while gathered.count < 64 << 10 {
                let piece = stream.response.next()
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

    func feed(_ bytes: ArraySlice<UInt8>, _ stream: inout Stream) -> plm_batch {
        stream.bodyBytes += bytes.count
        var batch = plm_batch()
        bytes.withUnsafeBytes {
            let start = $0.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = plm_decoder_feed(stream.decoder.handle, start!, bytes.count, &batch)
        }
        return batch
    }

    func finish(_ stream: inout Stream) -> plm_batch {
        var batch = plm_batch()
        _ = plm_decoder_finish(stream.decoder.handle, &batch)
        return batch
    }

    /// The events of an error response, as the engine makes them.
    func refusal(_ stream: inout Stream) -> [plm_event] {
        guard let head = stream.response.head else { return [] }
        var body: [UInt8] = []
        while case .bytes(let bytes) = stream.response.next() { body += bytes }
        let batch = feed(body[...], &stream)
        var events = [plm_event.head(head.status, head.contentType)]
        if batch.count == 1, var status = batch.events?.pointee, status.kind == .status {
            if status.status.code == 0 { status.status.code = Int32(head.status) }
            if status.status.retry_after_seconds < 0 {
                status.status.retry_after_seconds = Int64(head.retryAfterSeconds ?? -1)
            }
            events.append(status)
        }
        return events
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

extension plm_event {
    static func head(_ status: Int, _ contentType: String) -> plm_event {
        var event = plm_event()
        event.kind = .head
        event.head.status = Int32(status)
        event.head.http_version = 1
        event.head.retry_after_seconds = -1
        event.head.content_type = .kept(contentType)
        return event
    }

    static func failure(_ kind: plm_failure_kind, _ message: String) -> plm_event {
        var event = plm_event()
        event.kind = .failure
        event.failure.kind = kind
        event.failure.message = .kept(message)
        return event
    }
}

extension plm_text {
    // SAFETY: a simulation has one thread, and few texts, which it keeps.
    nonisolated(unsafe) private static var known: [String: plm_text] = [:]

    fileprivate static func kept(_ text: String) -> plm_text {
        if let known = known[text] { return known }
        let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: text.utf8.count + 1)
        for (at, byte) in text.utf8.enumerated() { bytes[at] = CChar(bitPattern: byte) }
        let made = plm_text(bytes: bytes, length: text.utf8.count)
        known[text] = made
        return made
    }
}
