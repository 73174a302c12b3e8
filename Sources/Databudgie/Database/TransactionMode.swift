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
    var options: TransactionOptions {
        switch self {
        case .catalog, .snapshot: TransactionOptions(isolation: .repeatableRead, readOnly: true)
        case .writing: TransactionOptions(isolation: .readCommitted, readOnly: false)
        }
    }

    /// The settings that it pins; nil when it keeps those of the session.
    var pinnedSettings: Connection.Purpose? {
        switch self {
        case .catalog: nil
        case .snapshot: .backup
        case .writing: .restore
        }
    }
}
