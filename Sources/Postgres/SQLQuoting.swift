/// Writes a name as an SQL identifier, in double quotes: `my "table"` becomes `"my ""table"""`.
///
/// - Parameter name: The name as the catalog has it. It must not contain a NUL, which no server can store: a statement
///   with one is refused before it is sent.
/// - Returns: The identifier (Postgres documentation, 4.1.1).
public func quotedIdentifier(_ name: String) -> String {
    "\"" + escaped(name, [UInt8(ascii: "\""): UInt8(ascii: "\"")]) + "\""
}

/// Writes a string as an SQL string constant that means the same whatever `standard_conforming_strings` is.
///
/// - Parameter text: The string. It must not contain a NUL, which no server can store: a statement with one is refused
///   before it is sent.
/// - Returns: `'text'`, or `E'text'` if it contains a backslash (Postgres documentation, 4.1.2).
public func quotedLiteral(_ text: String) -> String {
    let (quote, backslash) = (UInt8(ascii: "'"), UInt8(ascii: "\\"))
    let prefix = text.utf8.contains(backslash) ? "E'" : "'"
    return prefix + escaped(text, [quote: quote, backslash: backslash]) + "'"
}

/// Puts a byte in front of each byte that has a meaning of its own.
///
/// It works on bytes because the server does. To Swift, a quote followed by a combining mark is a single `Character` that
/// is not equal to a quote, so whatever compares Characters would not find it, and the rest of a name would be SQL.
///
/// - Parameters:
///   - text: The string.
///   - escapes: The byte to put in front, for each byte that needs one.
/// - Returns: The string with the additional bytes.
func escaped(_ text: String, _ escapes: [UInt8: UInt8]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 2)
    for byte in text.utf8 {
        if let escape = escapes[byte] { bytes.append(escape) }
        bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
}
