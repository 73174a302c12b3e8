import Postgres

/// Finds out whether a database is the one that a set is of.
struct SourceIdentity {
    private let database: ConnectionParameters

    init(_ database: ConnectionParameters) {
        self.database = database
    }

    /// Refuses the set of another database.
    ///
    /// - Parameter record: The set.
    /// - Throws: ``DatabudgieError`` with the code `preflight`; `PostgresError`.
    func check(_ record: SetRecord) async throws {
        guard let source = record.source else {
            throw DatabudgieError(
                .preflight,
                "the record of the set \(record.id) does not say which database it is of",
                hint: "verify it without the comparison with the source"
            )
        }
        let own = try await Connection.withConnection(to: database) { connection in
            try await connection.withTransaction(.catalog, idleTimeout: nil) {
                try await SourceReader(connection: connection).source()
            }
        }
        // A role that may not ask for the server's identifier knows the name alone.
        let identifiers = [source.systemIdentifier, own.systemIdentifier].compactMap(\.self).map { ByteKey($0) }
        guard Set(identifiers).count > 1 || !source.database.hasBytes(of: own.database) else { return }
        throw DatabudgieError(
            .preflight,
            "the set \(record.id) is of another database: of \(source.label), and the source is \(own.label)",
            hint: "compare it with the database that it is of, or verify it without the comparison"
        )
    }
}

extension SetRecord.Source {
    /// The database with its server, as messages have it.
    fileprivate var label: String {
        "\(database)" + (systemIdentifier.map { " (system \($0))" } ?? "")
    }
}
