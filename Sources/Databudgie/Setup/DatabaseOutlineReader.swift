import Postgres

/// Looks at a database for a first configuration: a few queries, whatever the number of tables.
package struct DatabaseOutlineReader: Sendable {
    private let connection: ConnectionParameters
    private let environment: RunEnvironment

    /// Prepares a look; nothing is done before ``run()``.
    ///
    /// - Parameters:
    ///   - url: The database's URL; nil for that of libpq's variables, such as PGHOST.
    ///   - environment: Where pg_dump is looked for, and the variables that libpq reads.
    /// - Throws: `PostgresError` when the URL is none.
    package init(url: String?, environment: RunEnvironment = RunEnvironment()) throws {
        connection = try url.map { try ConnectionParameters(url: $0) } ?? ConnectionParameters(keywords: [:])
        self.environment = environment
    }

    /// Reads what the database has.
    ///
    /// - Throws: `PostgresError`; `CancellationError`.
    package func run() async throws -> DatabaseOutline {
        let (parameters, variables) = (connection, environment.variables)
        let (server, read) = try await Connection.withConnection(to: parameters) { connection in
            let outline = try await connection.withTransaction(.catalog, idleTimeout: nil) {
                let catalog = try await DatabaseCatalogReader(connection: connection).read()
                let sizes = try await TableSizeReader(connection: connection).read(catalog.relations)
                let extensions = try await connection.query(Self.extensionsQuery).rows
                let readable = catalog.relations.filter {
                    $0.kind.isFoundByGlobs && $0.isReadable && !$0.isExtensionMember
                }
                let unlockable = try await DefinitionLocks(connection: connection, catalog: catalog)
                    .unlockable(for: readable.map(\.oid))
                var outline = DatabaseOutline(
                    catalog,
                    sizes: sizes,
                    extensions: extensions.compactMap { $0["name"] },
                    connection: parameters,
                    environment: variables,
                    server: connection.server
                )
                if let first = unlockable.first {
                    outline.definitionProblem =
                        "the role lacks SELECT on \(first.name.label), which pg_dump has to lock for definitions of other tables"
                }
                return outline
            }
            return (connection.server, outline)
        }
        var outline = read
        do {
            try await DefinitionDump(environment: environment.variables).check(for: server)
        } catch let error as DatabudgieError {
            outline.definitionProblem = [error.message, error.hint].compactMap(\.self).joined(separator: ": ")
        }
        return outline
    }

    /// What every database has is left out.
    private static let extensionsQuery = """
        select extname as name from pg_catalog.pg_extension where extname operator(pg_catalog.<>) 'plpgsql'
        order by extname collate pg_catalog."C"
        """
}
