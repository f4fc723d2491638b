import ImageAlerts
import NodeWatch
import PlimsollService

/// Draws what `top` shows: lines as wide as the screen, with what stands out between escape sequences.
struct TopScreen {
    /// How the watch is, for the first line.
    struct Status {
        var cluster: String
        var freshness: Freshness
        /// Why the view cannot be relied on; nil: it can.
        var objection: String?
        /// In seconds since 1970.
        var now: UInt32
    }

    private struct Column {
        var title: String
        var width: Int
        var isNumber = false
    }

    private static let reverse = "\u{1b}[7m"
    private static let bold = "\u{1b}[1m"
    private static let dim = "\u{1b}[2m"
    private static let red = "\u{1b}[31m"
    private static let plain = "\u{1b}[0m"
    /// Lines that are no rows of the table.
    static let frameLines = 4
    /// Narrower than this nothing can be read.
    static let leastColumns = 40

    let size: RawTerminal.Size
    let isColored: Bool

    func lines(_ model: TopModel, _ status: Status) -> [String] {
        guard size.columns >= Self.leastColumns, size.rows > Self.frameLines else {
            return [
                fit(
                    "too small: \(Self.leastColumns) × \(Self.frameLines + 1) at least",
                    size.columns)
            ]
        }
        let columns = columns(model)
        var lines = [
            headline(model, status), title(model),
            style(Self.reverse, row(columns.map(\.title), columns)),
        ]
        for index in model.top..<(model.top + size.rows - Self.frameLines) {
            guard index < model.count else {
                lines.append("")
                continue
            }
            let text = row(cells(model, index, columns, status.now), columns)
            lines.append(index == model.selected ? style(Self.reverse + Self.bold, text) : text)
        }
        lines.append(keys(model))
        return lines
    }

    // MARK: Frame

    private func headline(_ model: TopModel, _ status: Status) -> String {
        let left =
            "\(status.cluster)  \(NumberText.grouped(model.nodeCount)) nodes  "
            + model.storage.text
        let word =
            status.freshness.sinceLastByte.map { ", heard \(NumberText.seconds($0)) ago" } ?? ""
        let state = status.objection ?? "\(status.freshness.state.rawValue)\(word)"
        let room = max(0, size.columns - min(state.count, size.columns))
        let text = fit(left, room) + fit(state, size.columns - room)
        return status.objection == nil ? style(Self.bold, text) : style(Self.bold + Self.red, text)
    }

    private func title(_ model: TopModel) -> String {
        let what =
            switch model.view {
            case .nodes: "Nodes"
            case .images: "Images"
            case .node(let name): "Images of \(name)"
            case .image(let name): "Nodes that list \(name)"
            }
        let filter =
            model.isTyping
            ? "  filter: \(model.filter)▏" : model.filter.isEmpty ? "" : "  filter: \(model.filter)"
        let counts = "\(NumberText.grouped(model.count)) of \(NumberText.grouped(model.total))"
        let order = "by \(model.order.rawValue)\(model.isReversed ? ", reversed" : "")"
        return fit("\(what): \(counts), \(order)\(filter)", size.columns)
    }

    private func keys(_ model: TopModel) -> String {
        if model.isTyping {
            return style(Self.dim, fit("Enter: done  Esc: no filter", size.columns))
        }
        let back = model.view == .nodes ? "" : "  Esc: back"
        let other = model.view == .images ? "  n: nodes" : "  i: images"
        return style(
            Self.dim,
            fit(
                "q: quit  ↑↓: move  Enter: open\(back)  s: sort  r: reverse  /: filter\(other)",
                size.columns))
    }

    // MARK: Table

    /// As many as there is room for: the first is as wide as it can be.
    private func columns(_ model: TopModel) -> [Column] {
        let further =
            model.isOfNodes
            ? [
                Column(title: "POOL", width: width(model, 4...16) { $0.pool }),
                Column(title: "IMAGES", width: 6, isNumber: true),
                Column(title: "STORAGE", width: 11, isNumber: true),
                Column(title: "OF DISK", width: 18), Column(title: "LAST CHANGE", width: 18),
                Column(
                    title: "STATE",
                    width: width(model, 5...24) { $0.node.troubles.joined(separator: ", ") }),
            ]
            : [
                Column(title: "SIZE", width: 9, isNumber: true),
                Column(title: "NODES", width: 9, isNumber: true),
                Column(title: "TOTAL", width: 9, isNumber: true),
            ]
        var shown = further
        let least = 24
        while shown.reduce(least, { $0 + $1.width + 2 }) > size.columns, shown.count > 1 {
            // What says least of image storage goes first.
            let order = ["STATE", "POOL", "LAST CHANGE", "OF DISK", "IMAGES", "TOTAL", "NODES"]
            let next = order.first { title in shown.contains { $0.title == title } }
            shown.removeAll { $0.title == next }
        }
        let rest = shown.reduce(0) { $0 + $1.width + 2 }
        let longest = model.isOfNodes ? 56 : 100
        let first = Column(
            title: model.isOfNodes ? "NODE" : "IMAGE",
            width: max(8, min(size.columns - rest, longest)))
        return [first] + shown
    }

    /// As wide as what is shown of the nodes needs, within limits.
    private func width(
        _ model: TopModel, _ limits: ClosedRange<Int>, _ text: (TopModel.NodeEntry) -> String
    ) -> Int {
        let shown = model.nodes.dropFirst(model.top).prefix(size.rows)
        return min(shown.reduce(limits.lowerBound) { max($0, text($1).count) }, limits.upperBound)
    }

    private func row(_ cells: [String], _ columns: [Column]) -> String {
        let byTitle = columns.enumerated().map { index, column in
            column.isNumber ? right(cells[index], column.width) : fit(cells[index], column.width)
        }
        return fit(byTitle.joined(separator: "  "), size.columns)
    }

    private func cells(
        _ model: TopModel, _ index: Int, _ columns: [Column], _ now: UInt32
    ) -> [String] {
        let titles = columns.map(\.title)
        if model.isOfNodes {
            let entry = model.nodes[index]
            return titles.map { cell($0, entry, now) }
        }
        let image = model.images[index]
        return titles.map { title in
            switch title {
            case "IMAGE": image.image.displayName
            case "SIZE": ByteText.text(image.image.sizeBytes)
            case "NODES": NumberText.grouped(image.nodes)
            default: image.totalBytes.map(ByteText.text) ?? "–"
            }
        }
    }

    private func cell(_ title: String, _ entry: TopModel.NodeEntry, _ now: UInt32) -> String {
        switch title {
        case "NODE": return entry.name
        case "POOL": return entry.pool
        case "IMAGES": return "\(entry.node.imageCount)"
        case "STORAGE":
            return entry.bytes.map { (entry.isLowerBound ? "≥ " : "") + ByteText.text($0) } ?? "–"
        case "OF DISK": return entry.share.map(Self.bar) ?? ""
        case "LAST CHANGE":
            guard let (bytes, time) = entry.lastChange else { return "" }
            let ago = NumberText.seconds(.seconds(Int(now) - Int(min(time, now))))
            return "\(ByteText.delta(bytes)) \(ago) ago"
        default: return entry.node.troubles.joined(separator: ", ")
        }
    }

    /// "██████▌     43 %".
    private static func bar(_ share: Double) -> String {
        let width = 12
        let eighths = Int((min(max(share, 0), 1) * Double(width * 8)).rounded())
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let full = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        let percent = "\(Int((share * 100).rounded())) %"
        return full + String(repeating: " ", count: width - full.count)
            + String(repeating: " ", count: max(1, 6 - percent.count)) + percent
    }

    // MARK: Text

    private func style(_ codes: String, _ text: String) -> String {
        // Reverse and bold are no colours.
        let codes = isColored ? codes : codes.replacing(Self.red, with: "")
        return codes + text + Self.plain
    }

    /// As wide as that: cut, or with spaces. What would steer a terminal is shown as a dot.
    private func fit(_ text: String, _ width: Int) -> String {
        let clean = String(
            text.map {
                $0.unicodeScalars.contains { $0.value < 32 || (127..<160).contains($0.value) }
                    ? "·" : $0
            })
        if clean.count > width {
            return String(clean.prefix(max(0, width - 1))) + (width > 0 ? "…" : "")
        }
        return clean + String(repeating: " ", count: width - clean.count)
    }

    private func right(_ text: String, _ width: Int) -> String {
        text.count >= width
            ? fit(text, width) : String(repeating: " ", count: width - text.count) + text
    }
}
