import Postgres

/// The manifest of a run, found and checked.
struct ManifestSession: Sendable {
    let table: ManifestTable
    let action: RunKind
    private let oid: Relation.OID
    /// The id that was asked for; nil takes a new one.
    private let requestedID: Int?
    /// Sees what others have recorded; in a backup it writes the rows as well.
    private let rows: Connection
    /// Has a transaction open for as long as the run lasts, which holds the lock on the id.
    private let guardian: Connection

    /// Finds and checks the manifest that a configuration names, and keeps it at hand for the length of the body.
    ///
    /// A run has two connections then. A backup reads in a read-only transaction, so that the second one writes the
    /// rows. A restore writes each row in the transaction of the table's data, and the second connection keeps an empty
    /// transaction open whose lock says that the run is alive. A lock of the session would do without a transaction,
    /// but poolers such as PgBouncer hand sessions around.
    /// - Parameters:
    ///   - configuration: Names the manifest, the id and the database.
    ///   - action: What the run does.
    ///   - connection: The run's own connection; a backup has a transaction open on it when it asks for
    ///     ``begin(isDryRun:)``.
    ///   - body: The run; it gets nil when no manifest is configured.
    /// - Throws: ``DatabudgieError`` when there is no such table, or when it does not fit; what the body throws.
    static func with(
        _ configuration: Configuration,
        for action: RunKind,
        over connection: Connection,
        body: (ManifestSession?) async throws -> Void
    ) async throws {
        guard let table = try configuration.manifest(for: action) else { return try await body(nil) }
        let inspection = try await inspect(table, for: action, over: connection)
        let parameters = try configuration.connection(for: action)
        try await Connection.withConnection(to: parameters) { second in
            let manifest = ManifestSession(
                table: table,
                action: action,
                oid: inspection.oid,
                requestedID: configuration.run(for: action).resumeID,
                rows: action == .backup ? second : connection,
                guardian: action == .backup ? connection : second
            )
            switch action {
            case .backup: try await body(manifest)
            case .restore: try await second.whileTransactionIsOpen { try await body(manifest) }
            }
        }
    }

    private static func inspect(
        _ table: ManifestTable,
        for action: RunKind,
        over connection: Connection
    ) async throws -> ManifestInspection {
        guard let inspection = try await ManifestInspection.find(table, over: connection) else {
            let command = "databudgie manifest create" + (action == .restore ? " --for restore" : "")
            throw DatabudgieError(
                .preflight,
                "The manifest table \(table) does not exist in the database of this \(action.rawValue), and nothing was "
                    + "touched; make it by '\(command)', or remove 'manifest' from the configuration."
            )
        }
        guard inspection.problems.isEmpty else {
            throw DatabudgieError(.preflight, inspection.problems + ["Nothing was touched."])
        }
        return inspection
    }

    /// Takes the run's transaction id, a new one or the one that was asked for, and reads what it has already.
    ///
    /// - Parameter isDryRun: Nothing will be recorded, so that no id is taken.
    /// - Returns: The transaction; nil in a dry run that goes on with none.
    /// - Throws: ``DatabudgieError`` when another run that is alive has the id; `PostgresError`.
    func begin(isDryRun: Bool) async throws -> ManifestRun? {
        guard let requestedID else {
            return isDryRun ? nil : transaction(try await takeNewID(), RecordedTables(source: ""))
        }
        if !isDryRun, try await !lock(requestedID) {
            throw DatabudgieError(
                .preflight,
                "The \(action.rawValue) \(requestedID) of the manifest \(table) is still running elsewhere; wait for its "
                    + "end, and nothing was touched."
            )
        }
        // After the lock was taken: what the run before us recorded is complete by now.
        return transaction(requestedID, try await recorded(under: requestedID))
    }

    private func transaction(_ id: Int, _ recorded: RecordedTables) -> ManifestRun {
        ManifestRun(table: table, action: action, id: id, recorded: recorded, rows: rows)
    }

    /// The highest recorded id and one, or more where other runs have begun and recorded nothing yet.
    private func takeNewID() async throws -> Int {
        var candidate = try await latestID() + 1
        while true {
            if try await lock(candidate) {
                // A run may have recorded its first table and ended since the look at the table.
                let latest = try await latestID()
                if latest < candidate { return candidate }
                candidate = latest
            }
            candidate += 1
        }
    }

    /// Locks an id until the guardian's transaction ends, however it ends.
    private func lock(_ id: Int) async throws -> Bool {
        let key = Int64(bitPattern: UInt64(oid) << 32 | UInt64(UInt32(truncatingIfNeeded: id)))
        let statement = "select pg_catalog.pg_try_advisory_xact_lock($1::pg_catalog.int8) as is_locked"
        return try await guardian.query(statement, [String(key)]).rows.first?["is_locked"] == "t"
    }

    private func latestID() async throws -> Int {
        let statement = "select pg_catalog.max(\"transaction\")::pg_catalog.int8 as latest from \(table.name.quoted)"
        return try await rows.query(statement).rows.first?["latest"].flatMap(Int.init) ?? 0
    }

    private func recorded(under id: Int) async throws -> RecordedTables {
        var recorded = RecordedTables(source: "\(action.rawValue) \(id) in \(table)")
        let statement = """
            select "table" as name, "file_path" as path from \(table.name.quoted)
            where "transaction" operator(pg_catalog.=) $1
                and "action"::pg_catalog.text operator(pg_catalog.=) $2::pg_catalog.text
            """
        do {
            for row in try await rows.query(statement, [String(id), action.rawValue]).rows {
                if let name = row["name"], let path = row["path"] { recorded.add(name, path: path) }
            }
        } catch {
            guard error.sqlState == "22003" else { throw error }
            throw DatabudgieError(
                .configuration,
                "--\(action.rawValue)-id \(id) is too large for the column \"transaction\" of the manifest \(table).",
                underlying: error
            )
        }
        return recorded
    }
}

extension Connection {
    /// Keeps an idle transaction open while the body runs; it sees nothing and holds no snapshot.
    fileprivate nonisolated(nonsending) func whileTransactionIsOpen(_ body: () async throws -> Void) async throws {
        var isDone = false
        do {
            try await withTransaction(TransactionOptions(isolation: .readCommitted, readOnly: true)) { connection in
                try await connection.pinSessionSettings(.restore)
                try await body()
                isDone = true
            }
        } catch {
            // What the body did is done, whatever became of this connection.
            guard isDone else { throw error }
        }
    }
}
