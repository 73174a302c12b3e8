import Postgres

/// The manifest of a run, found and checked.
struct ManifestSession: Sendable {
    let table: ManifestTable
    private let settings: RunSettings
    private let oid: Relation.OID
    /// Sees what other runs have recorded; in a backup it writes the rows as well.
    private let rows: Connection
    /// Has a transaction open for as long as the run lasts, which holds the lock on the id.
    private let lockHolder: Connection

    private var kind: RunKind { settings.kind }

    /// Finds and checks the manifest that a configuration names, and keeps it open while the body runs.
    ///
    /// A run has two connections then. A backup reads in a read-only transaction, so the second one writes the rows.
    /// A restore writes each row in the transaction of the table's data, and the second connection keeps an empty
    /// transaction open whose lock says that the run is alive. A lock of the session would need no transaction, but
    /// poolers such as PgBouncer hand sessions around.
    /// - Parameters:
    ///   - settings: Name the manifest, the id and the database.
    ///   - connection: The run's own connection; a backup has a transaction open on it when it calls ``begin()``.
    ///   - body: The run; it gets nil when no manifest is configured.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError`` when there is no such table, or when it does not fit; what the body throws.
    static func with<Result>(
        _ settings: RunSettings,
        over connection: Connection,
        body: (ManifestSession?) async throws -> Result
    ) async throws -> Result {
        guard let table = settings.manifest else { return try await body(nil) }
        let inspection = try await DatabudgieError.withEffect(settings.effectBeforeLoading) {
            try await inspect(table, for: settings.kind, over: connection)
        }
        return try await Connection.withConnection(to: settings.database) { second in
            try await second.liftSessionLimits()
            let isBackup = settings.kind == .backup
            let manifest = ManifestSession(
                table: table,
                settings: settings,
                oid: inspection.oid,
                rows: isBackup ? second : connection,
                lockHolder: isBackup ? connection : second
            )
            return isBackup
                ? try await body(manifest) : try await second.whileTransactionIsOpen { try await body(manifest) }
        }
    }

    /// Looks at the table of a manifest.
    ///
    /// - Parameters:
    ///   - table: The manifest's name.
    ///   - kind: What is to be recorded.
    ///   - connection: The database to look in.
    /// - Returns: What was found.
    /// - Throws: ``DatabudgieError`` when no run can record its tables there; `PostgresError`.
    static func inspect(
        _ table: ManifestTable,
        for kind: RunKind,
        over connection: Connection
    ) async throws -> ManifestInspection {
        guard let inspection = try await ManifestInspection.find(table, over: connection) else {
            let command = "databudgie manifest create" + (kind == .restore ? " --for restore" : "")
            throw DatabudgieError(
                .preflight,
                "the manifest table \(table) does not exist in the database of this \(kind.rawValue)",
                hint: "create it by '\(command)', or remove 'manifest' from the configuration"
            )
        }
        try inspection.problems.throwProblems(.preflight)
        return inspection
    }

    /// Takes the run's id, a new one or the one that is resumed, and reads what is recorded under it.
    ///
    /// - Returns: The run; nil in a dry run that resumes none, because nothing will be recorded.
    /// - Throws: ``DatabudgieError`` when another run that is alive has the id; `PostgresError`.
    func begin() async throws -> ManifestRun? {
        guard let resumeID = settings.resumeID else {
            return settings.isDryRun ? nil : run(try await takeNewID(), RecordedTables(source: ""))
        }
        if !settings.isDryRun, try await !lock(resumeID) {
            throw DatabudgieError(
                .preflight,
                "the \(kind.rawValue) \(resumeID) of the manifest \(table) is still running elsewhere",
                hint: "wait until it has finished"
            )
        }
        // After the lock was taken: what the run before us recorded is complete by now.
        return run(resumeID, try await recorded(under: resumeID))
    }

    private func run(_ id: Int, _ recorded: RecordedTables) -> ManifestRun {
        ManifestRun(
            table: table,
            kind: kind,
            id: id,
            recorded: recorded,
            isDryRun: settings.isDryRun,
            rows: rows
        )
    }

    /// The highest recorded id and one, or more when other runs have begun and recorded nothing yet.
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

    /// Locks an id until the lock holder's transaction ends, however it ends.
    private func lock(_ id: Int) async throws -> Bool {
        let key = Int64(bitPattern: UInt64(oid) << 32 | UInt64(UInt32(truncatingIfNeeded: id)))
        let statement = "select pg_catalog.pg_try_advisory_xact_lock($1::pg_catalog.int8) as is_locked"
        return try await lockHolder.query(statement, [String(key)]).rows.first?["is_locked"] == "t"
    }

    private func latestID() async throws -> Int {
        let statement = "select pg_catalog.max(\"transaction\")::pg_catalog.int8 as latest from \(table.name.quoted)"
        return try await rows.query(statement).rows.first?["latest"].flatMap(Int.init) ?? 0
    }

    private func recorded(under id: Int) async throws -> RecordedTables {
        var recorded = RecordedTables(source: "\(kind.rawValue) \(id) in \(table)")
        let statement = """
            select "table" as name, "file_path" as path from \(table.name.quoted)
            where "transaction" operator(pg_catalog.=) $1
                and "action"::pg_catalog.text operator(pg_catalog.=) $2::pg_catalog.text
            """
        do {
            for row in try await rows.query(statement, [String(id), kind.rawValue]).rows {
                if let name = row["name"], let path = row["path"] { recorded.add(name, path: path) }
            }
        } catch {
            guard error.sqlState == "22003" else { throw error }
            throw DatabudgieError(
                .configuration,
                "--\(kind.rawValue)-id \(id) is too large for the column \"transaction\" of the manifest \(table)",
                underlying: error
            )
        }
        return recorded
    }
}

extension Connection {
    /// Keeps an idle transaction open while the body runs; it sees nothing and holds no snapshot.
    fileprivate nonisolated(nonsending) func whileTransactionIsOpen<Result>(
        _ body: () async throws -> Result
    ) async throws -> Result {
        var result: Result?
        do {
            try await withTransaction(TransactionOptions(isolation: .readCommitted, readOnly: true)) { connection in
                try await connection.pinSessionSettings(.restore)
                result = try await body()
            }
        } catch {
            // What the body did is done, whatever became of this connection.
            guard result != nil else { throw error }
        }
        guard let result else {
            throw DatabudgieError(.internalInconsistency, "the run of a manifest returned nothing")
        }
        return result
    }
}
