/// Metrics as a scraper reads them: Prometheus' text format, or OpenMetrics.
///
/// Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ and OpenMetrics 1.0.
struct MetricsText {
    enum Format {
        case prometheus, openMetrics

        /// The one that a client asks for.
        init(accept: String) {
            self = accept.contains("application/openmetrics-text") ? .openMetrics : .prometheus
        }

        var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    enum Kind: String {
        case gauge, counter, histogram
    }

    typealias Labels = [(name: String, value: String)]

    let format: Format
    private var text = ""
    private var name = ""

    init(_ format: Format) {
        self.format = format
        text.reserveCapacity(64 << 10)
    }

    /// All of it.
    var bytes: [UInt8] { Array((text + (format == .openMetrics ? "# EOF\n" : "")).utf8) }

    // MARK: Families

    /// What follows is of this family. A counter's name is given without its "_total".
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = kind == .counter ? name + "_total" : name
        let title = format == .openMetrics ? name : self.name
        text += "# HELP \(title) \(help)\n# TYPE \(title) \(kind.rawValue)\n"
    }

    /// One sample of the family.
    mutating func sample(_ value: Double, _ labels: Labels = [], suffix: String = "") {
        text += name
        text += suffix
        if !labels.isEmpty {
            text += "{"
            for (index, label) in labels.enumerated() {
                if index > 0 { text += "," }
                text += "\(label.name)=\"\(Self.escaped(label.value))\""
            }
            text += "}"
        }
        text += " \(Self.number(value))\n"
    }

    mutating func sample(_ value: Int, _ labels: Labels = []) { sample(Double(value), labels) }

    /// A family with one sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(value)
    }

    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        single(name, kind, help, Double(value))
    }

    /// A histogram of the family, by the upper bounds of its buckets.
    mutating func histogram(_ values: [Double], bounds: [Double], _ labels: Labels) {
        for bound in bounds + [.infinity] {
            let count = values.count { $0 <= bound }
            sample(Double(count), labels + [("le", Self.number(bound))], suffix: "_bucket")
        }
        sample(values.reduce(0, +), labels, suffix: "_sum")
        sample(Double(values.count), labels, suffix: "_count")
    }

    // MARK: Values

    /// Whole numbers without a fraction, and no thousands' separators.
    private static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value.rounded() == value, abs(value) < 1e15 { return "\(Int(value))" }
        return "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        guard
            text.utf8.contains(where: {
                $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == 10
            })
        else { return text }
        return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            .replacing("\n", with: "\\n")
    }
}
