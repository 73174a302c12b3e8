/// What a run that failed has left behind.
@nonexhaustive
public enum RunEffect: String, Sendable, CustomStringConvertible {
    /// The target is as it was before the run.
    case nothingChanged = "nothing_changed"
    /// Changes were begun, and all of them were rolled back.
    case rolledBack = "rolled_back"
    /// `clean` has re-created the database, and nothing was restored into it.
    case databaseRecreated = "database_recreated"
    /// The connection was lost during the commit of everything.
    case unknown

    /// The effect as a sentence, without a full stop.
    public var description: String {
        switch self {
        case .nothingChanged: "nothing was changed"
        case .rolledBack: "everything was rolled back; the tables are unchanged"
        case .databaseRecreated: "the database was re-created and has none of the tables"
        case .unknown: "the server may have committed everything or nothing: look at the tables before restoring again"
        }
    }
}
