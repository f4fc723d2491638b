import ArgumentParser
import ImageAlerts

/// A time as kubectl takes it: "90s", "10m", "1h30m", "500ms", or plain seconds.
struct DurationArgument: ExpressibleByArgument {
    var duration: Duration

    init(duration: Duration) { self.duration = duration }

    var defaultValueDescription: String { Self.text(duration) }

    /// "150s", "50ms".
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return attoseconds == 0
            ? "\(seconds)s" : "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
    }

    init?(argument: String) {
        if let seconds = Int(argument) {
            guard seconds > 0 else { return nil }
            duration = .seconds(seconds)
            return
        }
        guard let time = DurationText.parse(argument), time > .zero else { return nil }
        duration = time
    }
}

/// The same, or 0 for no limit.
struct TimeoutArgument: ExpressibleByArgument {
    /// Nil: no limit.
    var duration: Duration?

    init(duration: Duration?) { self.duration = duration }

    init?(argument: String) {
        if argument == "0" || argument == "0s" {
            duration = nil
        } else {
            guard let time = DurationArgument(argument: argument) else { return nil }
            duration = time.duration
        }
    }

    var defaultValueDescription: String { duration.map(DurationArgument.text) ?? "0" }
}
