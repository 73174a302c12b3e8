import Postgres
import Storage

/// A temporary table that takes the rows of a file before they are merged with those of their table.
///
/// It is the server's, so the rows pass through here only once.
struct StagingTable {
    let connection: Connection
    let merge: RowMerge
    /// Without its schema, as the server's messages have it.
    let bareName: String

    /// - Parameters:
    ///   - connection: Has the transaction of the load open.
    ///   - job: The load.
    ///   - merge: What is done with the rows.
    init(_ connection: Connection, of job: JobID, _ merge: RowMerge) {
        self.connection = connection
        self.merge = merge
        bareName = "databudgie_staging_\(job.number)"
    }

    /// Its name in SQL.
    var name: String { "pg_temp.\(quotedIdentifier(bareName))" }

    /// Creates the table; the transaction's end drops it at the latest.
    ///
    /// - Throws: `PostgresError`.
    func create() async throws {
        try await connection.execute(merge.creation(of: name))
    }

    /// Merges its rows with those of the target, and drops the table.
    ///
    /// - Parameters:
    ///   - rows: How many rows it has.
    ///   - job: The load, for messages.
    /// - Returns: What became of the rows, and a warning about those that no key recognizes.
    /// - Throws: ``DatabudgieError`` when several rows of the file have one key; `PostgresError`.
    func mergeRows(_ rows: Int, of job: RestoreJob) async throws -> (merged: MergedRows, findings: [Finding]) {
        let unrecognized = try await count(merge.unrecognizedRows(in: name))
        let merged = try await mergeRecognized(rows, job)
        try await connection.execute("drop table \(name)")
        guard unrecognized > 0 else { return (merged, []) }
        let warning = Finding.warning(
            "\(counted(unrecognized, "row")) of \(job.file.path) \(unrecognized == 1 ? "has" : "have") a null in the key "
                + "\(merge.key?.columnList ?? ""), so \(unrecognized == 1 ? "it was" : "they were") added whatever the table has",
            of: job.id,
            hint: "name a key without nulls in 'conflict_columns'"
        )
        return (merged, [warning])
    }

    /// An error of a load whose place is that in its target, which has the rows and the columns of this table.
    func named(in error: any Error) -> any Error {
        guard var error = error as? PostgresError else { return error }
        error.context = error.context?.replacingBytes(of: bareName, with: merge.target.name.name)
        return error
    }

    private func mergeRecognized(_ rows: Int, _ job: RestoreJob) async throws -> MergedRows {
        do {
            let row = try await connection.withSavepoint("databudgie_merge") {
                try await connection.query(merge.statement(from: name)).rows.first
            }
            let inserted = row?["inserted"].flatMap { Int($0) } ?? 0
            guard merge.mode == .upsert else { return .inserted(rows, inserted: inserted) }
            return .upserted(rows, inserted: inserted, updated: row?["updated"].flatMap { Int($0) } ?? 0)
        } catch let error as PostgresError where error.sqlState == "21000" {
            // A function of a trigger may have caused it as well.
            let repeated = try await count(merge.repeatedKeys(in: name))
            guard repeated > 0 else { throw error }
            throw DatabudgieError(
                .dataFile,
                "\(job.file.path) has several rows for \(counted(repeated, "value")) of the key "
                    + "\(merge.key?.columnList ?? ""), and each can update a row only once",
                hint: "keep one of them for each, or name another key in 'conflict_columns'",
                underlying: error
            )
        }
    }

    private func count(_ statement: String?) async throws -> Int {
        guard let statement else { return 0 }
        return try await connection.query(statement).rows.first?["number"].flatMap { Int($0) } ?? 0
    }
}
