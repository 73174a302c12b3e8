import Postgres
import Synchronization

/// The snapshot of a run, which its members export to one another.
///
/// An exported snapshot can be joined as long as the transaction that has exported it is open (PostgreSQL documentation,
/// "Snapshot Synchronization Functions"). So each member exports the one that it has joined: the snapshot can be joined as long
/// as the run has a member.
final class SharedSnapshot: Sendable {
    /// Which moment of which server; poolers and balanced hosts can lead to another one, whose snapshots have the same names.
    private struct Moment: Sendable, Equatable {
        /// When the server was started, in seconds since 1970.
        let serverStart: String
        let database: String
        /// The transactions that the snapshot does not see.
        let transactions: String
    }

    private let moment: Moment
    /// The exports of the members, the newest last.
    private let exports: Mutex<[String]>

    /// Exports the snapshot of the first member.
    ///
    /// - Parameter connection: Its transaction has read something, and no savepoint is open.
    /// - Throws: `PostgresError`.
    init(of connection: Connection) async throws {
        let (moment, export) = try await Self.export(connection)
        self.moment = moment
        exports = Mutex([export])
    }

    /// Makes a new transaction see the run's moment.
    ///
    /// - Parameter connection: Its transaction has read nothing.
    /// - Throws: `PostgresError` when no member is left, or when it is another server.
    func join(over connection: Connection) async throws {
        guard let name = exports.withLock({ $0.last }) else { throw CancellationError() }
        // It has to come before any query.
        try await connection.execute("set transaction snapshot \(quotedLiteral(name))")
    }

    /// Checks that a transaction sees the run's moment, and exports it to others while the body runs.
    ///
    /// - Parameters:
    ///   - connection: Has joined.
    ///   - body: The work of the member.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabudgieError`` when it has reached another server; `PostgresError`; what the body throws.
    func withMember<Result>(over connection: Connection, _ body: () async throws -> Result) async throws -> Result {
        let (moment, export) = try await Self.export(connection)
        guard moment == self.moment else {
            throw DatabudgieError(.database, "a further connection has reached another server, or another moment of it")
        }
        exports.withLock { $0.append(export) }
        defer { exports.withLock { $0.removeAll { $0 == export } } }
        return try await body()
    }

    private static func export(_ connection: Connection) async throws -> (Moment, String) {
        let row = try await connection.query(ownText: query).rows.first
        guard let row, let start = row["start"], let database = row["database"], let transactions = row["transactions"],
            let export = row["export"]
        else {
            throw DatabudgieError(.internalInconsistency, "the server exported no snapshot")
        }
        return (Moment(serverStart: start, database: database, transactions: transactions), export)
    }

    private static let query = """
        select pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::pg_catalog.text as start,
            pg_catalog.current_database() as database,
            pg_catalog.txid_current_snapshot()::pg_catalog.text as transactions,
            pg_catalog.pg_export_snapshot() as export
        """
}
