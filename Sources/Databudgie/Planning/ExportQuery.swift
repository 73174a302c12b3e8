import Postgres

/// What a job reads, as a value; it becomes SQL when the job runs.
enum ExportQuery: Sendable {
    /// A SELECT that the user has written, without a semicolon at its end.
    case custom(String)
    /// All rows of a table or view.
    case table(QualifiedName, isOnly: Bool)

    /// The SELECT, to be embedded in COPY and followed by a line break, because it may end in a `--` comment.
    var sql: String {
        switch self {
        case .custom(let sql): sql
        case .table(let name, let isOnly): "select * from \(isOnly ? "only " : "")\(name.quoted)"
        }
    }
}

extension ExportQuery: Equatable {
    /// Whether two queries are the same to the server, which compares bytes.
    static func == (left: ExportQuery, right: ExportQuery) -> Bool {
        left.sql.hasBytes(of: right.sql)
    }
}
