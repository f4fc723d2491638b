import FoundationEssentials
import ImageAlerts

/// A node's image storage over time, as an SVG that needs no script: a line of steps, since what a kubelet reports
/// holds until it reports something else.
struct HistoryPlot {
    private static let width = 720.0
    private static let height = 220.0
    private static let left = 76.0
    private static let bottom = 28.0
    private static let top = 10.0
    private static let right = 10.0
    private static let lines = 4

    /// The oldest first.
    let points: [NodeHistory.Point]
    /// Until when the last point holds, in seconds since 1970.
    let now: UInt32

    func write(to html: inout HTMLText) {
        guard let first = points.first else {
            html.raw("<p>No change since the node is watched.</p>")
            return
        }
        let largest = points.compactMap(\.bytes).max() ?? 0
        let scale = Self.scale(largest)
        let span = max(1, Double(now) - Double(first.time))
        func x(_ time: UInt32) -> Double {
            Self.left + (Double(time) - Double(first.time)) / span
                * (Self.width - Self.left - Self.right)
        }
        func y(_ bytes: Int) -> Double {
            Self.height - Self.bottom - Double(bytes) / scale
                * (Self.height - Self.bottom - Self.top)
        }
        html.raw(
            "<figure><svg class=\"plot\" viewBox=\"0 0 720 220\" role=\"img\" aria-labelledby=\"plot-title\">"
        )
        html.element(
            "<title id=\"plot-title\">",
            "Reported image storage from \(Self.text(first.time)) to \(Self.text(now))", "</title>")
        for line in 0...Self.lines {
            let bytes = Int(scale / Double(Self.lines) * Double(line))
            html.element(
                "<line class=\"grid\" x1=\"76\" x2=\"710\" y1=\"", Self.text(y(bytes)), "\"")
            html.element(" y2=\"", Self.text(y(bytes)), "\"/>")
            html.element(
                "<text class=\"tick\" text-anchor=\"end\" x=\"70\" y=\"", Self.text(y(bytes) + 4),
                "\">")
            html.text(ByteText.text(bytes))
            html.raw("</text>")
        }
        html.element("<text class=\"tick\" x=\"76\" y=\"214\">", Self.text(first.time), "</text>")
        html.element(
            "<text class=\"tick\" text-anchor=\"end\" x=\"710\" y=\"214\">", Self.text(now),
            "</text>")
        html.element("<path class=\"line\" d=\"", path(x, y), "\"/></svg>")
        html.raw(
            "<figcaption>What the node reported, and when it changed. Gaps: it reported nothing.</figcaption>"
        )
        html.raw("</figure>")
        writeTable(to: &html)
    }

    private func path(_ x: (UInt32) -> Double, _ y: (Int) -> Double) -> String {
        var path = ""
        var isDrawing = false
        for (index, point) in points.enumerated() {
            let end = index + 1 < points.count ? points[index + 1].time : now
            guard let bytes = point.bytes else {
                isDrawing = false
                continue
            }
            path += "\(isDrawing ? "L" : "M")\(Self.text(x(point.time))) \(Self.text(y(bytes)))"
            path += "L\(Self.text(x(end))) \(Self.text(y(bytes)))"
            isDrawing = true
        }
        return path
    }

    private func writeTable(to html: inout HTMLText) {
        html.raw(
            "<details><summary>The same as a table</summary><table><thead><tr><th scope=\"col\">From</th>"
        )
        html.raw("<th scope=\"col\" class=\"n\">Image storage</th></tr></thead><tbody>")
        for point in points.reversed() {
            html.element("<tr><td>", Self.text(point.time), "</td>")
            html.element("<td class=\"n\">", point.bytes.map(ByteText.text) ?? "–", "</td></tr>")
        }
        html.raw("</tbody></table></details>")
    }

    /// A round number of bytes above the largest, that is divided by the lines without a rest.
    private static func scale(_ largest: Int) -> Double {
        var unit = 1024.0
        while unit * 1024 <= Double(largest) { unit *= 1024 }
        for step in [1.0, 2, 4, 8, 20, 40, 80, 200, 400, 800, 2000]
        where step * unit > Double(largest) { return step * unit }
        return Double(largest)
    }

    private static func text(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    private static func text(_ time: UInt32) -> String {
        Date(timeIntervalSince1970: Double(time)).formatted(.iso8601)
    }
}
