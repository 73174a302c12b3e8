/// What becomes of a data file with columns that its table lacks.
public enum ExtraColumns: String, Sendable, CaseIterable {
    /// It is not loaded (`extra_columns: error`).
    case error
    /// It is loaded without these columns, with a warning that names them (`extra_columns: ignore`).
    case ignore
}
