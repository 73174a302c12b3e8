import Postgres

/// What a job reads, as a value; it becomes SQL when the job runs.
enum ExportQuery: Sendable {
    /// A SELECT that the user has written, without a semicolon at its end.
    case custom(String)
    /// All rows of a table or view.
    case table(QualifiedName, isOnly: Bool)
    /// The rows of another query, with masks in place of some values.
    indirect case masked(ExportQuery, MaskedColumns)

    /// The SELECT, to be embedded in COPY and followed by a line break, because it may end in a `--` comment.
    var sql: String {
        switch self {
        case .custom(let sql): sql
        case .table(let name, let isOnly): "select * from \(isOnly ? "only " : "")\(name.quoted)"
        case .masked(let query, let columns): columns.select(from: query)
        }
    }

    /// Whose rows are read, whatever becomes of their values.
    var source: ExportQuery {
        if case .masked(let query, _) = self { query.source } else { self }
    }

    /// The columns that are masked; nil when none is.
    var masks: MaskedColumns? {
        if case .masked(_, let columns) = self { columns } else { nil }
    }
}

extension ExportQuery: Equatable {
    /// Whether two queries are the same to the server, which compares bytes.
    static func == (left: ExportQuery, right: ExportQuery) -> Bool {
        left.sql.hasBytes(of: right.sql)
    }
}
