import Postgres
import Storage

/// One run in the manifest: the id under which its tables are recorded.
struct ManifestRun: Sendable {
    let table: ManifestTable
    let action: RunKind
    let id: Int
    /// What runs before this one have finished under the id.
    let recorded: RecordedTables
    /// Sees and writes rows outside of the backup's snapshot.
    let rows: Connection

    /// What events say of it.
    var announcement: RecordedRun { RecordedRun(manifest: table.description, action: action, id: id) }

    /// Records a finished table.
    ///
    /// - Parameters:
    ///   - name: The table's `schema.name`, as databudgie 2.9.3 records it.
    ///   - path: Its data file, as configured: relative paths stay relative.
    ///   - connection: For a restore, the one whose transaction loads the table, so that the row lands with its data.
    /// - Throws: `PostgresError`.
    func record(_ name: String, path: String, over connection: Connection) async throws {
        let statement = """
            insert into \(table.name.quoted) ("transaction", "action", "table", "file_path") values ($1, $2, $3, $4)
            """
        _ = try await connection.query(statement, [String(id), action.rawValue, name, path])
    }

    /// Records a published file, even when the run is being cancelled: it stays, and should be known.
    ///
    /// - Throws: ``DatabudgieError`` that says that the file is there and not recorded.
    func record(published job: BackupJob) async throws {
        guard let name = job.tableName else { return }
        let path = job.path.description
        do {
            try await Task { try await record(name, path: path, over: rows) }.value
        } catch {
            throw DatabudgieError(
                .database,
                "\(path) is complete, but could not be recorded in the manifest \(table): \(error) Going on with "
                    + "--backup-id \(id) exports the table again.",
                underlying: error
            )
        }
    }
}
