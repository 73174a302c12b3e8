/// Cells in columns, with two spaces between them.
struct TextTable {
    /// On which side of its column a cell is.
    enum Side {
        case left, right
    }

    private let sides: [Side]
    private var rows: [[String]]

    /// A table with its first line.
    ///
    /// - Parameter header: The names of the columns, and on which side their cells are.
    init(_ header: [(name: String, side: Side)]) {
        sides = header.map(\.side)
        rows = [header.map(\.name)]
    }

    /// Adds a line.
    ///
    /// - Parameter cells: As many as there are columns; what a terminal would act upon is spelled out.
    mutating func add(_ cells: [String]) {
        rows.append(cells.map(\.escapedForTerminal))
    }

    /// The lines, without spaces at their ends.
    var lines: [String] {
        let widths = sides.indices.map { column in rows.map { $0[column].terminalWidth }.max() ?? 0 }
        return rows.map { row in
            let cells = sides.indices.map { column in
                switch sides[column] {
                case .left: row[column].paddedRight(to: widths[column])
                case .right: row[column].paddedLeft(to: widths[column])
                }
            }
            let line = cells.joined(separator: "  ")
            let spaces = line.utf8.reversed().prefix { $0 == UInt8(ascii: " ") }.count
            return String(decoding: line.utf8.dropLast(spaces), as: UTF8.self)
        }
    }
}
