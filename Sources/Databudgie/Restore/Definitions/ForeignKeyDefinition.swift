import Postgres

/// `ALTER TABLE ONLY … ADD CONSTRAINT … FOREIGN KEY … REFERENCES …`, as pg_dump writes it, in two steps.
///
/// Adding a key locks both of its tables against all writes while the rows are checked, so that two keys that point to one table
/// cannot be added at the same time. A key that is added as NOT VALID checks nothing, and validating it locks its table against
/// other changes of its definition alone (PostgreSQL documentation, "ALTER TABLE"). Afterwards it is the same key.
struct ForeignKeyDefinition {
    /// The table that has the key, and the one that it points to.
    let (referencing, referenced): (QualifiedName, QualifiedName)
    /// The constraint's name.
    let name: String
    private let sql: [UInt8]
    /// The table as the statement writes it, and where the statement's semicolon is.
    private let (table, constraint, end): (Range<Int>, Range<Int>, Int)

    /// - Parameter definition: nil comes of any other definition, of a key that is not valid, and of one that is not enforced.
    init?(_ definition: Definition) {
        guard definition.type == "FK CONSTRAINT" else { return nil }
        sql = Array(definition.sql.utf8)
        let tokens = SQLStatements.tokens(sql)
        func isWord(_ index: Int, _ word: String) -> Bool {
            index < tokens.count && SQLLexer.keyword(tokens[index]).hasBytes(of: word)
        }
        let head = [
            0: "ALTER", 1: "TABLE", 2: "ONLY", 6: "ADD", 7: "CONSTRAINT", 9: "FOREIGN", 10: "KEY",
        ]
        guard head.allSatisfy({ isWord($0, $1) }),
            let (referencing, tableEnd) = SQLStatements.qualifiedName(in: tokens, from: 3), tableEnd == 6,
            let name = SQLStatements.identifier(tokens[8]),
            let columnsEnd = tokens.firstIndex(where: { $0.elementsEqual(")".utf8) }),
            isWord(columnsEnd + 1, "REFERENCES"),
            let (referenced, referencedEnd) = SQLStatements.qualifiedName(in: tokens, from: columnsEnd + 2),
            referencedEnd == columnsEnd + 5,
            let last = tokens.last, last.elementsEqual(";".utf8),
            tokens.count(where: { $0.elementsEqual(";".utf8) }) == 1,
            !tokens[referencedEnd...].contains(where: { SQLLexer.keyword($0) == "NOT" })
        else { return nil }
        (self.referencing, self.referenced) = (referencing, referenced)
        self.name = String(decoding: name, as: UTF8.self)
        table = tokens[3].startIndex..<tokens[5].endIndex
        constraint = tokens[8].startIndex..<tokens[8].endIndex
        end = last.startIndex
    }

    /// Adds the key without a look at the rows.
    var adding: String { String(decoding: sql[..<end], as: UTF8.self) + " NOT VALID;" }

    /// Checks the rows.
    var validating: String { "ALTER TABLE ONLY \(text(table)) VALIDATE CONSTRAINT \(text(constraint));" }

    /// Removes the key again.
    var removing: String { "ALTER TABLE ONLY \(text(table)) DROP CONSTRAINT \(text(constraint));" }

    private func text(_ range: Range<Int>) -> String { String(decoding: sql[range], as: UTF8.self) }
}
