/// Writes a name as an SQL identifier, in double quotes: `my "table"` becomes `"my ""table"""`.
///
/// - Parameter name: The name as the catalog has it; it must not hold a NUL, which no server can store. A statement
///   with one is refused before it is sent.
/// - Returns: The identifier (Postgres documentation, 4.1.1).
public func quotedIdentifier(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

/// Writes a text as an SQL string constant that means the same whatever `standard_conforming_strings` is.
///
/// - Parameter text: The text; it must not hold a NUL, which no server can store. A statement with one is refused
///   before it is sent.
/// - Returns: `'text'`, or `E'text'` when there is a backslash in it (Postgres documentation, 4.1.2).
public func quotedLiteral(_ text: String) -> String {
    let quoted = text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    guard quoted.utf8.contains(UInt8(ascii: "\\")) else {
        return "'" + quoted + "'"
    }
    return "E'" + quoted.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\") + "'"
}
