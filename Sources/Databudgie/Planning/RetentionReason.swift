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
    /// There are no rules: nothing is removed for its age.
    case noRules

    /// The reason in the words of restic: `daily`, `oldest yearly`, `within 7d`.
    public var description: String {
        switch self {
        case .newest(let rule): rule.rawValue
        case .oldest(let rule): "oldest \(rule.rawValue)"
        case .within(let period): "within \(period)"
        case .newerThanComplete: "newer than all complete sets"
        case .runUnderWay: "a run is under way"
        case .underWay: "under way"
        case .noRules: "no retention"
        }
    }
}
