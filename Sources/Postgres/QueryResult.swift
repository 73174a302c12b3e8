/// The rows that a query returned, all values in the text form of Postgres.
public struct QueryResult: Sendable {
    /// The columns' names, in order.
    public let columns: [String]
    /// The rows, in order.
    public let rows: Rows

    /// Creates a result.
    ///
    /// - Parameters:
    ///   - columns: The columns' names.
    ///   - cells: The values, row after row.
    ///   - rowCount: How many rows there are, which `cells` does not show if there are no columns.
    init(columns: [String], cells: [String?], rowCount: Int) {
        self.columns = columns
        rows = Rows(columns: columns, cells: cells, count: rowCount)
    }

    /// The rows of a result.
    public struct Rows: RandomAccessCollection, Sendable {
        let columns: [String]
        let cells: [String?]

        /// How many rows there are.
        public let count: Int

        /// The position of the first row.
        public var startIndex: Int { 0 }

        /// The position after the last row.
        public var endIndex: Int { count }

        /// The row at a position.
        public subscript(position: Int) -> Row {
            precondition(indices.contains(position), "there is no row \(position), only \(count) rows")
            let start = position * columns.count
            return Row(columns: columns, cells: cells[start..<start + columns.count])
        }
    }

    /// One row of a result.
    public struct Row: Sendable {
        let columns: [String]
        let cells: ArraySlice<String?>

        /// The value of the column at a position from 0; nil for NULL.
        public subscript(column: Int) -> String? {
            cells[cells.startIndex + column]
        }

        /// The value of the first column of a name; nil for NULL.
        ///
        /// A name that the statement does not return is a bug in the program, and ends it.
        public subscript(column: String) -> String? {
            guard let index = columns.firstIndex(where: { $0.utf8.elementsEqual(column.utf8) }) else {
                preconditionFailure(
                    "the query does not return a column \(column), only \(columns.joined(separator: ", "))"
                )
            }
            return self[index]
        }
    }
}
