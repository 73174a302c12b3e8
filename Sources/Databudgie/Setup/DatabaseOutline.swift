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
        /// The role can read it; otherwise it is one of ``DatabaseOutline/unreadable``.
        package let isReadable: Bool
    }

    package struct Schema: Sendable, Equatable {
        package let name: String
        /// The largest first.
        package var tables: [Table]
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
    /// Tables that the role cannot read, and those of their partitions that it cannot read either: a glob finds a partition
    /// when its root is excluded.
    package var unreadable: [Name]
    /// Views and materialized views, which no glob finds.
    package var views: [Name]
    /// Tables that refer to one another.
    package var cycles: [[Name]]
    package var tenants: [Tenant]
    /// Extensions that a target needs, too.
    package var extensions: [String]
    /// How the database was reached, in the order of the keywords: what was given, and the host, the port, the user and the
    /// database that libpq found elsewhere.
    package let connection: [Keyword]
    /// Other variables of libpq that were set and may have had a part in reaching the database, sorted.
    package let connectionVariables: [String]
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
    ///   - connection: What was given of the connection.
    ///   - environment: The environment variables, from which libpq takes what was not given.
    ///   - server: Whose catalog it is.
    init(
        _ catalog: DatabaseCatalog,
        sizes: [Relation.OID: Int64],
        extensions: [String],
        connection: ConnectionParameters,
        environment: [String: String],
        server: ServerInfo
    ) {
        let found = catalog.relations
            .filter { $0.kind.isFoundByGlobs && !$0.isExtensionMember && !$0.isPartition }
            .flatMap { Self.separateTables($0, catalog) }
        let tables = found.map { relation in
            // The partitions of a table that cannot be read are listed by themselves.
            let partitions = relation.isReadable ? catalog.descendants(of: relation.oid) : []
            let parts = [relation.oid] + partitions.filter { catalog[$0]?.isPartition == true }
            let known = parts.compactMap { sizes[$0] }
            return Table(
                name: Name(relation),
                bytes: known.isEmpty ? nil : known.reduce(0, +),
                isReadable: relation.isReadable
            )
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
        let reached = ReachedConnection(given: connection, environment: environment, server: server)
        self.connection = reached.keywords.sorted { $0.key < $1.key }.map {
            Keyword(name: $0.key, value: ConnectionParameters.isSecret($0.key) ? nil : $0.value)
        }
        connectionVariables = reached.variables
        (database, user, majorVersion) = (server.database, server.user, server.majorVersion)
    }

    /// What a backup exports as tables of their own: the table, or, when it cannot be read, also its partitions.
    private static func separateTables(_ relation: Relation, _ catalog: DatabaseCatalog) -> [Relation] {
        guard !relation.isReadable else { return [relation] }
        let partitions = relation.children.compactMap { catalog[$0] }.filter {
            $0.isPartition && $0.kind.isFoundByGlobs && !$0.isExtensionMember
        }
        return [relation] + partitions.flatMap { separateTables($0, catalog) }
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
