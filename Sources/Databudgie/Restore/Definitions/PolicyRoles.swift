import Postgres

/// The roles that a definition of a policy names.
///
/// Roles are not part of a database, so some may be missing in the target; a policy for the others is the same policy.
struct PolicyRoles {
    private let sql: [UInt8]
    /// The roles' names, and where they are written; nil for those that always exist, such as `PUBLIC`.
    private let roles: [(name: ByteKey?, place: Range<Int>)]

    /// - Parameter sql: `CREATE POLICY … ON … [AS …] [FOR …] TO role, …`; nil comes of any other statement, and of a
    ///   policy without roles.
    init?(_ sql: String) {
        self.sql = Array(sql.utf8)
        let tokens = SQLStatements.tokens(self.sql)
        func isWord(_ word: String, _ index: Int) -> Bool {
            index < tokens.count && SQLLexer.keyword(tokens[index]).hasBytes(of: word)
        }
        // CREATE POLICY name ON schema . table
        guard isWord("CREATE", 0), isWord("POLICY", 1), isWord("ON", 3) else { return nil }
        var index = tokens.count > 6 && tokens[5].elementsEqual(".".utf8) ? 7 : 5
        for word in ["AS", "FOR"] where isWord(word, index) { index += 2 }
        guard isWord("TO", index) else { return nil }
        var roles: [(name: ByteKey?, place: Range<Int>)] = []
        repeat {
            index += 1
            guard index < tokens.count, let name = SQLStatements.identifier(tokens[index]) else { return nil }
            let token = tokens[index]
            let isSpecial = token.first != UInt8(ascii: "\"") && Self.special.contains(SQLLexer.keyword(token))
            let key = isSpecial ? nil : ByteKey(String(decoding: name, as: UTF8.self))
            roles.append((key, token.startIndex..<token.endIndex))
            index += 1
        } while index < tokens.count && tokens[index].elementsEqual(",".utf8)
        self.roles = roles
    }

    private static let special: Set = ["PUBLIC", "CURRENT_ROLE", "CURRENT_USER", "SESSION_USER"]

    /// The roles that do not exist.
    ///
    /// - Parameter existing: The names of all roles.
    /// - Returns: Their names, as the definition has them.
    func missing(in existing: Set<ByteKey>) -> [String] {
        roles.compactMap(\.name).filter { !existing.contains($0) }.map(\.string)
    }

    /// The policy for the roles that exist.
    ///
    /// - Parameter existing: The names of all roles.
    /// - Returns: The statement; nil when there is no role left.
    func sql(for existing: Set<ByteKey>) -> String? {
        let left = roles.filter { $0.name.map(existing.contains) ?? true }
        guard !left.isEmpty, let first = roles.first?.place, let last = roles.last?.place else { return nil }
        let list = left.map { Array(sql[$0.place]) }.joined(separator: Array(", ".utf8))
        return String(decoding: sql[..<first.lowerBound] + Array(list) + sql[last.upperBound...], as: UTF8.self)
    }
}
