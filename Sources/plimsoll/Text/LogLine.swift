import FoundationEssentials
import ImageAlerts
import KubeClient

/// How bad it is.
enum LogLevel: String {
    case info, warning, error
}

/// One line of standard error: for people, or with fields that machines read.
struct LogLine {
    var level: LogLevel
    /// Which cluster it is about, where there are several or nobody can see it.
    var cluster: String?
    var message: String
    var time = Date()

    func text(_ format: AlertFormat) -> String {
        let stamp = Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(time)
        switch format {
        case .text:
            return "\(Terminal.time(time))  \(cluster.map { "\($0): " } ?? "")\(message)"
        case .json:
            let line = Fields(
                time: stamp, level: level.rawValue, cluster: cluster, message: message)
            return (try? Output.json(line)) ?? message
        case .logfmt:
            let fields = [
                ("time", stamp), ("level", level.rawValue), ("cluster", cluster), ("msg", message),
            ]
            return fields.compactMap { key, value in
                value.map { "\(key)=\(LogfmtText.value($0))" }
            }.joined(separator: " ")
        }
    }

    private struct Fields: Encodable {
        var time: String
        var level: String
        var cluster: String?
        var message: String
    }
}
