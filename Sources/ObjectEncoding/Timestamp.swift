#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Time of day.
package enum Clock {
    package static func seconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec
    }
}

/// RFC 3339 in UTC, by whole seconds.
package enum Timestamp {
    package static func text(_ seconds: Int) -> String {
        // Days to a civil date (Howard Hinnant, "chrono-compatible low-level date algorithms").
        let days = Int((Double(seconds) / 86400).rounded(.down))
        let rest = seconds - days * 86400
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(year)-\(two(month))-\(two(day))T"
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }

    /// The seconds of a text; nil where it is none.
    package static func seconds(_ text: String) -> Int? {
        let parts = text.split { !$0.isASCII || !$0.isNumber }.prefix(6).compactMap { Int($0) }
        guard parts.count == 6, parts[1] >= 1, parts[1] <= 12 else { return nil }
        let year = parts[1] <= 2 ? parts[0] - 1 : parts[0]
        let era = year / 400
        let month = parts[1] > 2 ? parts[1] - 3 : parts[1] + 9
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * month + 2) / 5 + parts[2] - 1
        let day = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (day - 719_468) * 86400 + parts[3] * 3600 + parts[4] * 60 + parts[5]
    }

    /// How long ago that was, the way kubectl shows ages.
    package static func age(_ time: Int) -> String {
        let seconds = max(0, Clock.seconds() - time)
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86400)d"
        }
    }

    /// The age of a time in a document; nil where it is none.
    package static func age(_ time: JSONValue?) -> String? {
        time?.string.flatMap(seconds).map { age($0) }
    }
}
