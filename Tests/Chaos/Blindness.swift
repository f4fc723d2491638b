import NodeWatch

/// How long an informer was without a stream: from the notice of a problem to the next good sign.
struct Blindness: Sendable, CustomStringConvertible {
    private var since: ContinuousClock.Instant?
    private var times: [Duration] = []

    mutating func observe(_ notice: WatchNotice, _ now: ContinuousClock.Instant) {
        switch notice {
        case .problem: since = since ?? now
        case .resumed, .synced:
            if let since { times.append(now - since) }
            since = nil
        case .listing, .rejected, .handlerFailed, .checkpoint: break
        }
    }

    var description: String {
        guard !times.isEmpty else { return "never" }
        let sorted = times.sorted()
        func text(_ time: Duration) -> String { "\(Int(time / .milliseconds(1))) ms" }
        return "\(times.count) times, median \(text(sorted[sorted.count / 2])), longest "
            + text(sorted[sorted.count - 1])
    }
}
