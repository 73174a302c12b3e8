/// What becomes of a data file that lacks columns of its table.
public enum MissingColumns: String, Sendable, CaseIterable {
    /// It is not loaded (`missing_columns: error`).
    case error
    /// The columns get their defaults, or null (`missing_columns: default`).
    case `default`
}
