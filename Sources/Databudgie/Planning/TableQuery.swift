import Postgres

/// A query of the user's in which `{table}` is the name of a table.
///
/// Between quotes or in a comment a name may end what it is in, and the rest of it would be SQL. So the query must have the
/// same tokens whatever the name is.
struct TableQuery {
    /// The query with the name.
    let sql: String
    /// The name changes more of the query than itself, so it must not run.
    let isChangedByName: Bool

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
        sql = render(table?.quoted ?? "")
        guard let table else {
            isChangedByName = false
            return
        }
        // Long enough that no query has it by chance.
        let example = QualifiedName(schema: "databudgie_example_schema", name: "databudgie_example_table")
        let (schema, name) = (Array(example.schema.utf8), Array(example.name.utf8))
        let expected = SQLStatements.tokens(render(example.quoted).utf8).map { token in
            Array(token).replacing(Self.quoted(schema), with: Array(quotedIdentifier(table.schema).utf8))
                .replacing(Self.quoted(name), with: Array(quotedIdentifier(table.name).utf8))
        }
        isChangedByName = expected != SQLStatements.tokens(sql.utf8).map { Array($0) }
    }

    private static func quoted(_ name: [UInt8]) -> [UInt8] {
        [UInt8(ascii: "\"")] + name + [UInt8(ascii: "\"")]
    }
}
