import Postgres

/// A query of the user's in which `{table}` is the name of a table, each part in quotes only if it needs them.
///
/// Between quotes or in a comment a name may end what it is in, and the rest of it would be SQL. So the query must have the
/// same tokens whatever the name is.
struct TableQuery {
    /// The query with the name.
    let sql: String
    /// The name changes more of the query than itself, so it must not run.
    let isChangedByName: Bool
    /// The table is read with the tables that inherit from it: somewhere its name stands without `ONLY` before it.
    let readsChildren: Bool

    /// - Parameters:
    ///   - template: The query as it is configured.
    ///   - table: The table; nil for a query without one.
    ///   - timestamp: The moment of the run.
    init(_ template: Template, table: QualifiedName?, at timestamp: RunTimestamp) {
        func render(_ name: String) -> String {
            QueryText.withoutTrailingSemicolon(
                template.render([.table: name, .timestamp: timestamp.timestamp, .date: timestamp.date])
            )
        }
        sql = render(table?.quotedIfNeeded ?? "")
        guard let table, template.variables.contains(.table) else {
            (isChangedByName, readsChildren) = (false, false)
            return
        }
        let (schema, name) = (
            Self.example("databudgie_example_schema", for: table.schema),
            Self.example("databudgie_example_table", for: table.name)
        )
        let example = SQLStatements.tokens(render(schema.written + "." + name.written).utf8)
        let expected = example.map { token in
            Array(token).replacing(Array(schema.written.utf8), with: Array(schema.name.utf8))
                .replacing(Array(name.written.utf8), with: Array(name.name.utf8))
        }
        isChangedByName = expected != SQLStatements.tokens(sql.utf8).map { Array($0) }
        readsChildren = example.indices.contains { index in
            guard example[index].elementsEqual(schema.written.utf8) else { return false }
            let before = example[..<index].last { !$0.elementsEqual("(".utf8) }
            return before.map { SQLLexer.keyword($0) } != "ONLY"
        }
    }

    /// A name that no query has by chance, in quotes when the real one is.
    private static func example(_ example: String, for name: String) -> (written: String, name: String) {
        QualifiedName.isBare(name)
            ? (example, name) : (quotedIdentifier(example), quotedIdentifier(name))
    }
}
