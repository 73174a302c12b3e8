extension ConnectionParameters {
    /// The parameters as libpq's programs read them on their command line: `dbname='my shop' host='localhost'`.
    ///
    /// It contains whatever is in ``keywords``, secrets included.
    public var connectionString: String {
        keywords.sorted { $0.key < $1.key }.map { "\($0.key)=\(quotedConnectionValue($0.value))" }
            .joined(separator: " ")
    }

    /// The elements of a value that is a list, such as that of `host`, `hostaddr` and `port`.
    static func elements(of list: String) -> [String] {
        list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }
}

/// Writes a value for a connection string (Postgres documentation, 34.1.1.1).
private func quotedConnectionValue(_ value: String) -> String {
    let (quote, backslash) = (UInt8(ascii: "'"), UInt8(ascii: "\\"))
    return "'" + escaped(value, [quote: backslash, backslash: backslash]) + "'"
}
