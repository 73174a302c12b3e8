import Postgres

/// What the build of a server brings along: that of Debian has everything, those from PyPI lack some.
public struct ServerBuild: Sendable {
    /// The major version.
    public let majorVersion: Int
    /// The extensions that can be created.
    public let extensions: Set<String>
    /// Whether it was built with libxml.
    public let hasXML: Bool
    /// Whether it was built with a library for TLS.
    public let hasTLS: Bool

    /// The build of the server that all tests of this process share, and of those that they start.
    public static var shared: ServerBuild {
        get async throws { try await sharedTask.value }
    }

    private static let sharedTask = Task {
        try await Connection.withConnection(to: PostgresServer.shared.superuser) { connection in
            let extensions = try await connection.query("select name from pg_available_extensions")
            let settings = try await connection.query("select current_setting('ssl_library') <> ''")
            // Errors are the only way to ask.
            let hasXML = (try? await connection.query("select '<a/>'::xml")) != nil
            return ServerBuild(
                majorVersion: connection.server.majorVersion,
                extensions: Set(extensions.rows.compactMap { $0[0] }),
                hasXML: hasXML,
                hasTLS: settings.rows.first?[0] == "t"
            )
        }
    }

    /// Replaces what this build lacks by what comes nearest, so that the rest of a schema is tested all the same.
    ///
    /// - Parameter sql: Statements of a test, which may use `citext`, `btree_gist` and `xml` in the forms below.
    /// - Returns: Statements that the server can run.
    public func adapted(_ sql: String) -> String {
        var replacements: [(String, String)] = []
        if !extensions.contains("citext") {
            replacements += [
                ("extension citext", "extension vector"), ("types.citext", "text"), ("s.citext", "s.vector"),
            ]
        }
        if !extensions.contains("btree_gist") {
            replacements += [
                ("create extension btree_gist with schema public;", ""), ("create extension btree_gist;", ""),
                ("room with =, during with &&", "during with &&"),
            ]
        }
        if !hasXML {
            replacements += [("document_x xml", "document_x text")]
        }
        return replacements.reduce(sql) { $0.replacing($1.0, with: $1.1) }
    }
}
