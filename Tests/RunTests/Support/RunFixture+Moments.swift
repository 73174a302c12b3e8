import DatabudgieTestSupport
import Postgres
import Testing

@testable import Databudgie

extension RunFixture {
    /// Backs up the source, holds the backup up in its first job, and lets it continue after the body.
    ///
    /// - Parameters:
    ///   - tables: The entries after the first one, as elements of a list.
    ///   - more: Further keys.
    ///   - events: Receives what happens.
    ///   - body: Runs when the snapshot has been taken and no other job has begun.
    /// - Returns: The report of the jobs after the first one.
    /// - Throws: What the body or the backup throws.
    func heldUpBackup(
        _ tables: String,
        _ more: String = "",
        events: EventLog = EventLog(),
        _ body: () async throws -> Void
    ) async throws -> [JobResultText] {
        try await Connection.withConnection(to: source) { blocker in
            try await blocker.execute("select pg_advisory_lock(42)")
            async let report = backup(
                """
                {root_location: \(folder), location: '{table}', filename: data.csv, tables: [
                  {query: "select pg_advisory_lock(42)::text as lock", location: waiting}, \(tables)], \(more)}
                """,
                events: events
            )
            try await poll("the backup waits") { try await isWaiting(for: "locktype = 'advisory'") }
            try await body()
            try await blocker.execute("select pg_advisory_unlock(42)")
            return try await report.texts
        }
    }
}

/// What became of a job: its rows, or why it failed.
struct JobResultText: Equatable, CustomStringConvertible {
    let job: String
    let rows: Int?
    let message: String?

    var description: String { "\(job): \(rows.map { "\($0) rows" } ?? message ?? "")" }
}

extension RunReport {
    /// What became of the jobs, except the one that a held-up backup waits in.
    fileprivate var texts: [JobResultText] {
        let all =
            finished.map { JobResultText(job: $0.job.name, rows: $0.totals.rows, message: nil) }
            + failed.map { JobResultText(job: $0.job.name, rows: nil, message: $0.description) }
        return all.filter { !$0.job.hasSuffix("waiting") }
    }
}
