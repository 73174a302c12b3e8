/// What happens to the rows that a table has when a file is loaded into it.
public enum LoadMode: String, Sendable, CaseIterable {
    /// They stay, and a row whose key is there fails the table (`mode: append`).
    case append
    /// They are removed first (`mode: replace`, `truncate: true`).
    case replace
    /// A row whose key is there is updated, others are inserted (`mode: upsert`).
    case upsert
    /// A row whose key is there is not loaded (`mode: skip_existing`).
    case skipExisting = "skip_existing"

    /// Rows of the file are compared with those of the table by a key.
    var merges: Bool { self == .upsert || self == .skipExisting }
}
