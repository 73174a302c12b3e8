import Postgres

/// `ALTER TABLE … ATTACH PARTITION …`, which makes a table a partition of another one.
///
/// The server then creates the indexes and keys of the root for the partition, unless it has its own: where the root exists
/// already, a partition is attached after its own, which would otherwise be its second ones.
struct PartitionAttachment {
    let root: QualifiedName
    let partition: QualifiedName

    /// - Parameter definition: nil comes of any other definition.
    init?(_ definition: Definition) {
        // pg_dump's own type, and that of statements in files without marks.
        guard ["TABLE ATTACH", "ALTER"].contains(definition.type) else { return nil }
        let tokens = SQLStatements.tokens(definition.sql.utf8)
        guard let root = SQLStatements.qualifiedName(in: tokens), root.end + 1 < tokens.count,
            SQLLexer.keyword(tokens[root.end]) == "ATTACH", SQLLexer.keyword(tokens[root.end + 1]) == "PARTITION",
            let partition = SQLStatements.qualifiedName(in: tokens, from: root.end)
        else { return nil }
        (self.root, self.partition) = (root.name, partition.name)
    }
}
