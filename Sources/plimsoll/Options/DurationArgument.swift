import ArgumentParser

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
        var total = Duration.zero
        var rest = argument[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(digits), value < 1e9 else { return nil }
            switch unit {
            case "ms": total += .seconds(value / 1000)
            case "s": total += .seconds(value)
            case "m": total += .seconds(value * 60)
            case "h": total += .seconds(value * 3600)
            case "d": total += .seconds(value * 86400)
            default: return nil
            }
        }
        guard total > .zero else { return nil }
        duration = total
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
