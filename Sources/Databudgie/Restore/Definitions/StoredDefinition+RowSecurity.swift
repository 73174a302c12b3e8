import Postgres

extension StoredDefinition {
    /// Puts row security where it belongs.
    ///
    /// It is enabled before the rows are loaded, so nobody reads a table whose policies do not exist yet: without policies it
    /// is closed to all but its owner. That it holds for the owner too (`FORCE`) comes after the rows, which the owner could
    /// not load otherwise (PostgreSQL documentation, COPY).
    /// - Returns: This definition, in one or two.
    func withRowSecurityInTime() -> [StoredDefinition] {
        guard definition.sql.utf8.count < Self.longest, definition.sql.containsBytes(of: "ROW LEVEL SECURITY"),
            let statements = SQLStatements.split(Array(definition.sql.utf8))
        else { return [self] }
        let forced = statements.filter { Self.changesRowSecurity($0, "FORCE") }
        guard !forced.isEmpty || statements.allSatisfy({ Self.changesRowSecurity($0, "ENABLE") }) else { return [self] }
        var (first, second) = (self, self)
        let others = statements.filter { !Self.changesRowSecurity($0, "FORCE") }
        if definition.type == "ROW SECURITY" { first.definition.section = .preData }
        first.definition.sql = others.joined(separator: "\n\n")
        (second.definition.type, second.definition.section) = ("ROW SECURITY", .postData)
        second.definition.partitions = []
        second.definition.sql = forced.joined(separator: "\n")
        return (others.isEmpty ? [] : [first]) + (forced.isEmpty ? [] : [second])
    }

    /// No table has a longer definition (1,600 columns).
    private static let longest = 16 << 20

    /// Whether a statement is `ALTER TABLE … ENABLE ROW LEVEL SECURITY`, or the same with another word.
    private static func changesRowSecurity(_ statement: String, _ word: String) -> Bool {
        let tokens = SQLStatements.tokens(statement.utf8).map { SQLLexer.keyword($0) }.filter { $0 != ";" }
        return tokens.starts(with: ["ALTER", "TABLE"]) && tokens.suffix(4) == [word, "ROW", "LEVEL", "SECURITY"]
    }
}
