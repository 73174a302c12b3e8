/// How a configuration names a reference: `table.column`, `table.constraint` or `table(column, …)`, or a glob over them.
struct ReferenceName {
    /// In full, without spaces between columns.
    private let text: String
    private let glob: Glob
    /// The table with its schema; nil when nothing looks like one.
    let table: String?
    /// What follows the table: a column or a constraint, or columns in parentheses without these.
    let last: String?
    /// The columns; one, unless there are parentheses.
    let columns: [String]?

    /// - Parameters:
    ///   - name: As it is written.
    ///   - schema: That of tables without one.
    init(_ name: String, in schema: String) {
        let bytes = name.utf8
        if bytes.last == UInt8(ascii: ")"), let open = bytes.lastIndex(of: UInt8(ascii: "(")) {
            let columns = bytes[bytes.index(after: open)...].dropLast().split(separator: UInt8(ascii: ","))
                .map { Self.trimmed($0) }
            let table = TableSelection.pattern(for: Self.trimmed(bytes[..<open]), in: schema)
            (self.table, self.columns, last) = (table, columns, columns.joined(separator: ", "))
            text = "\(table)(\(columns.joined(separator: ",")))"
        } else if let dot = bytes.lastIndex(of: UInt8(ascii: ".")) {
            let column = String(decoding: bytes[bytes.index(after: dot)...], as: UTF8.self)
            let written = String(decoding: bytes[..<dot], as: UTF8.self)
            // A glob is one over the whole name.
            let table = Glob(name).hasWildcards ? written : TableSelection.pattern(for: written, in: schema)
            (self.table, columns, last, text) = (table, [column], column, "\(table).\(column)")
        } else {
            (table, columns, last, text) = (nil, nil, nil, name)
        }
        glob = Glob(text)
    }

    /// It may stand for several references.
    var isGlob: Bool { glob.hasWildcards }

    /// Whether one of the names of a reference is this one, or is matched by it.
    func matches(_ names: [String]) -> Bool {
        names.contains { $0.hasBytes(of: text) } || isGlob && names.contains(where: glob.matches)
    }

    private static func trimmed(_ bytes: Substring.UTF8View) -> String {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
        let start = bytes.drop(while: isSpace)
        let end = start.lastIndex { !isSpace($0) }.map { start.index(after: $0) } ?? start.startIndex
        return String(decoding: start[..<end], as: UTF8.self)
    }
}
