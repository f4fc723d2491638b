import FoundationEssentials
import KubeClient

extension RuleFile {
    /// Reads what becomes of alerts.
    mutating func readDelivery(_ document: YAML, _ fields: inout RuleFields) {
        if let node = fields.value("grouping") {
            var inner = RuleFields(node, owner: "\"grouping\"")
            grouping.wait = inner.duration("wait") ?? grouping.wait
            grouping.interval = inner.duration("interval") ?? grouping.interval
            inner.finish()
            fields.take(over: inner.problems)
        }
        for node in fields.field("silences", "list of silences", \.elements) ?? [] {
            if let silence = Self.silence(node, &fields) { silences.append(silence) }
        }
        var names: Set<String> = []
        let sinks = fields.field("sinks", "list of sinks", \.elements) ?? []
        for (index, node) in sinks.enumerated() {
            var reader = SinkReader(node, number: index + 1)
            if let sink = reader.read() {
                fields.claim(sink.name, of: "sink", node, in: &names)
                self.sinks.append(sink)
            }
            fields.take(over: reader.problems)
        }
    }

    private static func silence(_ node: YAML, _ fields: inout RuleFields) -> Silence? {
        var inner = RuleFields(node, owner: "a silence")
        defer { fields.take(over: inner.problems) }
        guard node.pairs != nil else { return nil }
        func date(_ value: YAML) -> Date? {
            value.string.flatMap { try? Date.ISO8601FormatStyle().parse($0) }
        }
        let what = "time such as 2026-12-24T18:00:00Z"
        let until = inner.required("until", what, date)
        var silence = Silence(until: until ?? .distantPast)
        silence.from = inner.field("from", what, date)
        silence.rules = (inner.strings("rules") ?? []).map(Glob.init)
        silence.nodes = (inner.strings("nodes") ?? []).map(Glob.init)
        silence.pools = (inner.strings("pools") ?? []).map(Glob.init)
        for text in inner.strings("severities") ?? [] {
            if let severity = Rule.Severity(rawValue: text) {
                silence.severities.insert(severity)
            } else {
                inner.complain(
                    "a silence: there is no severity \"\(text)\""
                        + Suggestion.text(for: text, among: Rule.Severity.allCases.map(\.rawValue)),
                    at: node["severities"]?.place)
            }
        }
        silence.comment = inner.string("comment")
        if let from = silence.from, let until, from >= until {
            inner.complain("a silence: \"from\" must be before \"until\"", at: node["from"]?.place)
        }
        inner.finish()
        return inner.problems.isEmpty ? silence : nil
    }
}
