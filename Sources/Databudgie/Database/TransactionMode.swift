import Postgres

/// What a transaction of a run is for, which decides how it begins and what it pins.
enum TransactionMode: Sendable {
    /// Reading the catalog: sees one moment, and refuses to write.
    case catalog
    /// Exporting a backup: sees one moment, refuses to write, and pins the settings of an export.
    case snapshot
    /// Loading, even when sessions are read-only by default: pins the settings of a load.
    case writing

    /// How the transaction begins.
    ///
    /// Limits of the role or the database are lifted at once: they are meant for other sessions, and would already break the
    /// locking that comes before the snapshot.
    /// - Parameter server: Newer servers have more limits.
    /// - Returns: Options for `Connection.withTransaction`.
    func options(on server: ServerInfo) -> TransactionOptions {
        let known = Self.limits.filter { $0 != "transaction_timeout" || server.majorVersion >= 17 }
        let settings = Dictionary(uniqueKeysWithValues: known.map { ($0, "0") })
        return switch self {
        case .catalog, .snapshot:
            TransactionOptions(isolation: .repeatableRead, readOnly: true, settings: settings)
        case .writing:
            TransactionOptions(isolation: .readCommitted, readOnly: false, settings: settings)
        }
    }

    /// The server's limits on the time of statements and transactions.
    static let limits = [
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout",
    ]

    /// The settings that it pins; nil when it keeps those of the session.
    var pinnedSettings: Connection.Purpose? {
        switch self {
        case .catalog: nil
        case .snapshot: .backup
        case .writing: .restore
        }
    }
}
