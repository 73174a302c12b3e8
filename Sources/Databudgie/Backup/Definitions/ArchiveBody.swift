/// The statements of a definition, with its owner and the session's settings for the next one taken off.
///
/// Whole statements are taken off, from the end: the last line of a comment, a default or a policy is a user's text, and may
/// look like any of them.
struct ArchiveBody {
    /// The definition itself.
    let sql: String
    /// The statement that sets the owner.
    let ownerSQL: String?
    /// An identifier as SQL.
    let nextAccessMethod: [UInt8]?

    /// - Parameters:
    ///   - statements: All statements between two heads.
    ///   - owner: The owner that the head names; `-` or empty when there is none.
    init(_ statements: [ArraySlice<UInt8>], owner: [UInt8]) {
        var statements = statements
        var nextAccessMethod: [UInt8]?
        while let last = statements.last, let setting = Setting(last) {
            if case .accessMethod(let name) = setting, nextAccessMethod == nil { nextAccessMethod = name }
            statements.removeLast()
        }
        var ownerSQL: String?
        if let index = Self.ownerIndex(statements, owner) {
            let statement = statements.remove(at: index)
            // An owner alone is that of the schema public, which is in every database.
            if !statements.isEmpty { ownerSQL = String(decoding: statement, as: UTF8.self) }
        }
        sql = statements.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        self.ownerSQL = ownerSQL
        self.nextAccessMethod = nextAccessMethod
    }

    /// The place of `ALTER … OWNER TO owner;`.
    ///
    /// It is the last statement, but for the access method of a partitioned table, which pg_restore 17 sets after it.
    private static func ownerIndex(_ statements: [ArraySlice<UInt8>], _ owner: [UInt8]) -> Int? {
        guard !owner.isEmpty else { return nil }
        var index = statements.count - 1
        guard index >= 0 else { return nil }
        if index > 1, isAccessMethod(SQLStatements.tokens(statements[index])) { index -= 1 }
        let tokens = SQLStatements.tokens(statements[index])
        guard tokens.count > 5, tokens[0].elementsEqual("ALTER".utf8) else { return nil }
        let end = Array(tokens.suffix(4))
        // pg_restore prints names in heads on one line.
        let name = SQLStatements.identifier(end[2]).map(ArchiveHead.onOneLine)
        return end[0].elementsEqual("OWNER".utf8) && end[1].elementsEqual("TO".utf8) && name == owner
            && end[3].elementsEqual(";".utf8) ? index : nil
    }

    /// Whether a statement is `ALTER TABLE … SET ACCESS METHOD x;`.
    private static func isAccessMethod(_ tokens: [ArraySlice<UInt8>]) -> Bool {
        tokens.count > 7 && tokens.starts(with: ["ALTER", "TABLE"].map { ArraySlice($0.utf8) })
            && tokens.suffix(5).prefix(3).elementsEqual(["SET", "ACCESS", "METHOD"].map { ArraySlice($0.utf8) })
    }

    /// A statement that is exactly `SET default_… = value;`.
    private enum Setting {
        case accessMethod([UInt8])
        case tablespace

        init?(_ statement: ArraySlice<UInt8>) {
            let tokens = SQLStatements.tokens(statement)
            guard tokens.count == 5, tokens[0].elementsEqual("SET".utf8), tokens[2].elementsEqual("=".utf8),
                tokens[4].elementsEqual(";".utf8)
            else { return nil }
            if tokens[1].elementsEqual("default_tablespace".utf8) {
                self = .tablespace
            } else if tokens[1].elementsEqual("default_table_access_method".utf8),
                SQLStatements.identifier(tokens[3]) != nil
            {
                self = .accessMethod(Array(tokens[3]))
            } else {
                return nil
            }
        }
    }
}
