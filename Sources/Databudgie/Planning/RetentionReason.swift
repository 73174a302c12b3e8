/// Why a set is kept.
@nonexhaustive
public enum RetentionReason: Sendable, Hashable, CustomStringConvertible {
    /// It is the newest set of its hour, day, week, month or year, or one of the last.
    case newest(RetentionPolicy.Rule)
    /// It is the oldest set, and the rule could keep more than there are: the history stays as long as possible.
    case oldest(RetentionPolicy.Rule)
    /// It is not older than this, counted from the newest set.
    case within(RetentionPeriod)
    /// It is partial, and no complete set is newer.
    case newerThanComplete
    /// Another run is under way, which may replace its files or refer to them.
    case runUnderWay
    /// It is under way itself.
    case underWay
    /// It was killed, and may be resumed: `--orphans` removes it, and that only once it has written nothing for a day.
    case killed
    /// There are no rules: nothing is removed for its age.
    case noRules

    /// The reason in the words of restic: `daily`, `oldest yearly`, `within 7d`.
    public var description: String {
        switch self {
        case .newest(let rule): rule.rawValue
        case .oldest(let rule): "oldest \(rule.rawValue)"
        case .within(let period): "within \(period)"
        case .newerThanComplete: "newer than all complete sets"
        case .runUnderWay: "a run is not finished"
        case .underWay: "under way"
        case .killed: "killed; --orphans removes it when it has written nothing for a day"
        case .noRules: "no retention"
        }
    }
}
