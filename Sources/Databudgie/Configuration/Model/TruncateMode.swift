/// What happens to the target's rows before a load.
public enum TruncateMode: String, Sendable {
    /// Rows stay (`truncate: false`).
    case keep
    /// The listed tables are emptied; never one that is not listed (`truncate: true`).
    case truncate
    /// Also the tables that refer to a listed one (`truncate: cascade`).
    case cascade
}
