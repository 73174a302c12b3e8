/// What a run does, and the section of the configuration that says how.
@nonexhaustive
public enum RunKind: String, Sendable {
    /// Tables and query results are written to files.
    case backup
    /// Tables are loaded from files.
    case restore
}
