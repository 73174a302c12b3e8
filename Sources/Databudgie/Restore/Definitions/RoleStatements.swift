import Postgres

/// What a definition says about roles, cut into what can be run alone: a role that is missing costs no more than it must.
enum RoleStatements {
    /// The statements of a definition of privileges or an owner.
    ///
    /// - Parameter sql: `GRANT`, `REVOKE` and the like. Grants of another role's come as pg_dump writes them, between
    ///   `SET SESSION AUTHORIZATION` and `RESET SESSION AUTHORIZATION`; such three stay together, because a grant by
    ///   somebody else would be another one.
    /// - Returns: One or more statements a piece.
    static func pieces(of sql: String) -> [String] {
        guard let statements = SQLStatements.split(Array(sql.utf8)) else { return [sql] }
        var pieces: [String] = []
        var isOpen = false
        for statement in statements {
            let words = SQLStatements.keywords(statement, limit: 3)
            if isOpen {
                pieces[pieces.count - 1] += "\n" + statement
            } else {
                pieces.append(statement)
            }
            if words == ["SET", "SESSION", "AUTHORIZATION"] { isOpen = true }
            if words == ["RESET", "SESSION", "AUTHORIZATION"] { isOpen = false }
        }
        return pieces
    }
}
