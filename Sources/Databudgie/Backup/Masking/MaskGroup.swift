/// Columns of a table by which a row may be recognized: `public.customers(zip,birthday,gender)`.
public struct MaskGroup: Sendable, Hashable, CustomStringConvertible {
    /// The table; its schema may be missing.
    public let table: String
    /// Its columns.
    public let columns: [String]

    /// Reads a table and columns.
    ///
    /// - Parameter text: The table, and columns with commas between them in parentheses; nil is returned for all else.
    public init?(_ text: String) {
        guard text.utf8.last == UInt8(ascii: ")"), let open = text.utf8.lastIndex(of: UInt8(ascii: "(")) else {
            return nil
        }
        let columns = text.utf8[text.utf8.index(after: open)...].dropLast().split(
            separator: UInt8(ascii: ","),
            omittingEmptySubsequences: false
        )
        (table, self.columns) = (Self.trimmed(text.utf8[..<open]), columns.map(Self.trimmed))
        guard !table.isEmpty, !self.columns.contains("") else { return nil }
    }

    private static func trimmed(_ bytes: Substring.UTF8View) -> String {
        let text = bytes.drop { $0 == UInt8(ascii: " ") }
        let spaces = text.reversed().prefix { $0 == UInt8(ascii: " ") }.count
        return String(decoding: text.dropLast(spaces), as: UTF8.self)
    }

    /// Table and columns.
    public var description: String { "\(table)(\(columns.joined(separator: ", ")))" }
}

/// How many rows of a table are alike in some columns, as they are exported.
public struct MaskGroupCount: Sendable, Hashable {
    /// The table, with its schema, and the columns.
    public let group: MaskGroup
    /// Groups with fewer rows are small.
    public let least: Int
    /// The rows of the table.
    public let rows: Int
    /// The groups of rows that are alike.
    public let groups: Int
    /// The rows of the smallest group; 0 when there are none.
    public let smallest: Int
    /// The small groups.
    public let smallGroups: Int
    /// Their rows.
    public let rowsInSmallGroups: Int

    /// What is wrong; nil when no group is small.
    var finding: MaskFinding? {
        guard smallGroups > 0 else { return nil }
        return MaskFinding(
            .smallGroups,
            group.table,
            "\(counted(rowsInSmallGroups, "row")) of \(rows) \(rowsInSmallGroups == 1 ? "is" : "are") in groups of fewer "
                + "than \(least) that have the same \(group.columns.joined(separator: ", ")); the smallest has \(smallest)",
            suggestion: "truncate, redact or null one of these columns"
        )
    }
}
