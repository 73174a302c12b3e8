import Postgres

/// What a first configuration says of a database.
package struct DatabaseOutline: Sendable, Equatable {
    /// The name of a table or the like.
    package struct Name: Sendable, Equatable {
        package let schema: String
        package let name: String
        /// Both, as messages and configurations have them.
        package let label: String

        init(_ relation: Relation) {
            (schema, name, label) = (relation.name.schema, relation.name.name, relation.name.label)
        }
    }

    /// One of libpq's keywords for the connection.
    package struct Keyword: Sendable, Equatable {
        package let name: String
        /// Nil for a secret, which no file may have.
        package let value: String?
    }

    package struct Table: Sendable, Equatable {
        package let name: Name
        /// Without its indexes; nil when nobody may ask, or another session has it locked.
        package let bytes: Int64?
    }

    package struct Schema: Sendable, Equatable {
        package let name: String
        /// The largest first.
        package var tables: [Table]

        package var bytes: Int64 { tables.compactMap(\.bytes).reduce(0, +) }
    }

    /// A column that many tables have and that refers to one: probably the customer whose rows they are.
    package struct Tenant: Sendable, Equatable {
        package let column: String
        package let tables: Int
        /// What the column refers to.
        package let root: Name
    }

    /// In the order of their names.
    package var schemas: [Schema]
    /// Tables that the role cannot read.
    package var unreadable: [Name]
    /// Views and materialized views, which no glob finds.
    package var views: [Name]
    /// Tables that refer to one another.
    package var cycles: [[Name]]
    package var tenants: [Tenant]
    /// Extensions that a target needs, too.
    package var extensions: [String]
    /// How the database was reached, in the order of the keywords.
    package let connection: [Keyword]
    package let database: String
    package let user: String
    /// The server's version before the dot.
    package let majorVersion: Int
    /// Why definitions cannot be read, and what to do; nil when they can.
    package var definitionProblem: String?

    /// - Parameters:
    ///   - catalog: The database.
    ///   - sizes: Bytes of tables by their OIDs.
    ///   - extensions: Those that are installed.
    ///   - connection: How the database was reached.
    ///   - server: Whose catalog it is.
    init(
        _ catalog: DatabaseCatalog,
        sizes: [Relation.OID: Int64],
        extensions: [String],
        connection: ConnectionParameters,
        server: ServerInfo
    ) {
        let found = catalog.relations.filter { $0.kind.isFoundByGlobs && !$0.isExtensionMember && !$0.isPartition }
        let tables = found.map { relation in
            let parts =
                [relation.oid] + catalog.descendants(of: relation.oid).filter { catalog[$0]?.isPartition == true }
            let known = parts.compactMap { sizes[$0] }
            return Table(name: Name(relation), bytes: known.isEmpty ? nil : known.reduce(0, +))
        }
        schemas = Dictionary(grouping: tables) { ByteKey($0.name.schema) }.map { schema, tables in
            Schema(
                name: schema.string,
                tables: tables.sorted { ($1.bytes ?? 0) < ($0.bytes ?? 0) }
            )
        }
        .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        unreadable = found.filter { !$0.isReadable }.map(Name.init)
        views = catalog.relations.filter { $0.kind.isDerived && !$0.isExtensionMember }.map(Name.init)
        cycles = Self.cycles(catalog)
        tenants = Self.tenants(catalog)
        self.extensions = extensions
        self.connection = connection.keywords.sorted { $0.key < $1.key }.map {
            Keyword(name: $0.key, value: ConnectionParameters.isSecret($0.key) ? nil : $0.value)
        }
        (database, user, majorVersion) = (server.database, server.user, server.majorVersion)
    }

    private static func cycles(_ catalog: DatabaseCatalog) -> [[Name]] {
        let positions = Dictionary(
            uniqueKeysWithValues: catalog.relations.enumerated().map { ($0.element.oid, $0.offset) }
        )
        var references = Array(repeating: [Int](), count: catalog.relations.count)
        for key in catalog.foreignKeys where !key.isInherited {
            guard let from = positions[key.referencing], let to = positions[key.referenced] else { continue }
            references[from].append(to)
        }
        return DependencyOrder.components(count: references.count, references: references)
            .filter { $0.count > 1 }
            .map { $0.map { Name(catalog.relations[$0]) } }
    }

    /// Columns by which at least three tables, and a third of all, refer to the same table.
    private static func tenants(_ catalog: DatabaseCatalog) -> [Tenant] {
        struct Reference: Hashable {
            let column: ByteKey
            let referenced: Relation.OID
        }
        var tables: [Reference: Set<Relation.OID>] = [:]
        for key in catalog.foreignKeys where !key.isInherited {
            for column in key.columns {
                tables[Reference(column: ByteKey(column), referenced: key.referenced), default: []].insert(
                    key.referencing
                )
            }
        }
        let all = catalog.relations.count { $0.kind.isFoundByGlobs && !$0.isPartition }
        return tables.compactMap { reference, users in
            guard users.count >= max(3, all / 3), let root = catalog[reference.referenced] else { return nil }
            return Tenant(column: reference.column.string, tables: users.count, root: Name(root))
        }
        .sorted { $0.tables > $1.tables }
    }
}
