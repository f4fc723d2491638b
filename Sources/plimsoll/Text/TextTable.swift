/// Rows in columns, as wide as their widest cell.
struct TextTable {
    struct Column {
        var title: String
        var isNumber = false
    }

    var columns: [Column]
    var rows: [[String]] = []

    var text: String {
        let widths = widths
        return ([columns.map(\.title)] + rows).map { line($0, widths) }.joined(separator: "\n")
    }

    /// How wide each column is.
    var widths: [Int] {
        columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1[index].count) }
        }
    }

    /// One row. A cell that is wider than its column moves the others.
    func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = cells.enumerated().map { index, cell in
            let space = String(repeating: " ", count: max(0, widths[index] - cell.count))
            if columns[index].isNumber { return space + cell }
            return index == cells.count - 1 ? cell : cell + space
        }
        return padded.joined(separator: "   ")
    }

    /// RFC 4180.
    var csv: String {
        ([columns.map(\.title)] + rows).map(Self.csvLine).joined(separator: "\n")
    }

    static func csvLine(_ cells: [String]) -> String {
        cells.map { cell in
            cell.contains { "\",\n\r".contains($0) }
                ? "\""
                    + cell.split(separator: "\"", omittingEmptySubsequences: false)
                    .joined(separator: "\"\"") + "\"" : cell
        }.joined(separator: ",")
    }
}
