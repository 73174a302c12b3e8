import Postgres

/// One definition, such as a table without its constraints, or one index.
struct Definition: Sendable {
    /// When a definition is run (PostgreSQL documentation, pg_dump, `--section`).
    enum Section: String, Codable, Sendable {
        /// Before the rows.
        case preData = "pre-data"
        /// After the rows: indexes, constraints, triggers, rules, policies.
        case postData = "post-data"
    }

    /// The place in pg_dump's order, in which everything that a definition needs comes before it.
    var order: Int
    var section: Section
    /// pg_dump's name for the kind of definition, such as `TABLE` or `FK CONSTRAINT`; `OWNER` for an owner alone.
    var type: String
    /// The schema that it belongs to; empty for what belongs to none, such as an extension.
    var schema: String
    /// The table or view that it belongs to; nil for what belongs to the schema as a whole.
    var table: String?
    /// The order of the definition that a comment or a privilege is for.
    var attachedTo: Int?
    /// The partitions of a partitioned table that are backed up with it: a restore of the table includes them.
    var partitions: [DefinitionScript.Unit] = []
    /// Nothing that the backup selected needs it: it can be skipped when it cannot be created.
    var isOptional = false
    /// False for a materialized view that has no data in the source, and is not filled.
    var isPopulated = true
    /// One or more statements, each with its semicolon.
    var sql: String

    /// The table or view that the definition belongs to.
    var relation: QualifiedName? { table.map { QualifiedName(schema: schema, name: $0) } }

    /// The unit of that table or view.
    var unit: DefinitionScript.Unit? { table.map { DefinitionScript.Unit(schema: schema, table: $0) } }

    /// The place among the definitions of a backup: the owner of something comes right after it.
    var rank: Int { order * 2 + (type == "OWNER" ? 1 : 0) }
}

extension Definition {
    /// A statement of a file without marks, put into its section by its first words.
    init(order: Int, sql: String, of unit: DefinitionScript.Unit) {
        let words = SQLStatements.keywords(sql, limit: 200)
        type = Self.type(words)
        let isPostData = Self.postDataTypes.contains(type)
        // Foreign keys last, as pg_dump has them: the keys that they refer to may be in files that come later.
        self.order = order + (type == "FK CONSTRAINT" ? 1_000_000_000 : 0)
        section = isPostData ? .postData : .preData
        (schema, table) = (unit.schema, unit.table)
        // databudgie 2.9.3 put everything of the schema into its file.
        isOptional = table == nil && type != "SCHEMA"
        self.sql = sql
    }

    private static let postDataTypes: Set = [
        "INDEX", "CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "RULE", "POLICY", "STATISTICS", "ROW SECURITY",
        "INDEX ATTACH",
        "REPLICA IDENTITY", "ACL",
    ]

    private static func type(_ words: [String]) -> String {
        let first = Array(words.prefix(4))
        switch first.first {
        case "GRANT", "REVOKE": return "ACL"
        case "COMMENT": return "COMMENT"
        case "CREATE":
            let kind = first.dropFirst().first { !["UNIQUE", "CONSTRAINT", "OR", "REPLACE"].contains($0) } ?? ""
            return kind
        case "ALTER":
            if words.contains("OWNER"), words.dropFirst(2).contains("TO"), words.suffix(4).contains("OWNER") {
                return "OWNER"
            }
            if first.dropFirst().first == "INDEX" { return "INDEX ATTACH" }
            if words.contains("FOREIGN"), words.contains("REFERENCES") { return "FK CONSTRAINT" }
            if words.contains("ADD"), words.contains("CONSTRAINT") { return "CONSTRAINT" }
            if words.contains("ROW"), words.contains("SECURITY") { return "ROW SECURITY" }
            if words.contains("REPLICA") || words.contains("CLUSTER") { return "REPLICA IDENTITY" }
            return "ALTER"
        default: return first.first ?? ""
        }
    }
}

extension Definition: Equatable {
    /// Whether two definitions are the same to the server, which compares bytes.
    static func == (left: Definition, right: Definition) -> Bool {
        left.order == right.order && left.section == right.section && left.type.hasBytes(of: right.type)
            && left.place == right.place && left.attachedTo == right.attachedTo && left.partitions == right.partitions
            && left.isOptional == right.isOptional && left.isPopulated == right.isPopulated
            && left.sql.hasBytes(of: right.sql)
    }

    private var place: DefinitionScript.Unit { DefinitionScript.Unit(schema: schema, table: table) }
}
