import Postgres

/// One run in the manifest: the id under which its tables are recorded.
struct ManifestRun: Sendable {
    let table: ManifestTable
    let kind: RunKind
    let id: Int
    /// What runs before this one have finished under the id.
    let recorded: RecordedTables
    /// Nothing is recorded.
    let isDryRun: Bool
    /// Sees and writes rows outside of the backup's snapshot.
    let rows: Connection

    /// How events describe it; nil when nothing will be recorded.
    var announcement: RecordedRun? {
        isDryRun ? nil : RecordedRun(manifest: table.description, kind: kind, id: id)
    }

    /// Records a finished table.
    ///
    /// - Parameters:
    ///   - name: The table's `schema.name`, as databudgie 2.9.3 records it.
    ///   - path: Its data file, as configured: relative paths stay relative.
    ///   - connection: For a restore, the one whose transaction loads the table: the row is committed with its data.
    /// - Throws: `PostgresError`.
    func record(_ name: String, path: String, over connection: Connection) async throws {
        guard !isDryRun else { return }
        let statement = """
            insert into \(table.name.quoted) ("transaction", "action", "table", "file_path") values ($1, $2, $3, $4)
            """
        await FailPoint.reached(.manifestRowUnwritten)
        _ = try await connection.query(statement, [String(id), kind.rawValue, name, path])
        await FailPoint.reached(.manifestRowWritten)
    }

    /// Records a published file, even when the run is being cancelled: it stays, and should be known.
    ///
    /// - Parameters:
    ///   - job: The job whose file it is.
    ///   - outcome: What was exported.
    /// - Throws: ``DatabudgieError`` when the file is there and could not be recorded.
    func record(published job: BackupJob, _ outcome: JobOutcome) async throws {
        // Values of sequences alone are not recorded, as in databudgie 2.9.3.
        guard let name = job.tableName, job.includesRows, let path = outcome.path else { return }
        do {
            try await Task { try await record(name, path: path, over: rows) }.value
        } catch {
            throw DatabudgieError(
                .database,
                "\(path) is complete, but could not be recorded in the manifest \(table): \(ErrorText(error).message)",
                hint: "resuming with --backup-id \(id) exports the table again",
                underlying: error
            )
        }
    }
}
