/// Which backup sets are kept (`retention`): all that at least one rule keeps.
///
/// The rules are those of `restic forget`. Hours, days, weeks (ISO 8601), months and years are those of UTC.
///
/// ```swift
/// let policy = RetentionPolicy([.daily: .atMost(7), .weekly: .atMost(5)], within: RetentionPeriod("2d"))
/// ```
public struct RetentionPolicy: Sendable, Equatable {
    /// What a set has to be the newest of.
    public enum Rule: String, Sendable, CaseIterable {
        /// Each set by itself (`keep_last`).
        case last
        /// An hour that has sets (`keep_hourly`).
        case hourly
        /// A day that has sets (`keep_daily`).
        case daily
        /// A week, from Monday to Sunday, that has sets (`keep_weekly`).
        case weekly
        /// A month that has sets (`keep_monthly`).
        case monthly
        /// A year that has sets (`keep_yearly`).
        case yearly

        var key: String { "keep_\(rawValue)" }
    }

    /// For how many of them, the newest ones, a set is kept.
    public enum Count: Sendable, Equatable {
        /// For this many; 0 and less keep nothing.
        case atMost(Int)
        /// For all of them (`unlimited`).
        case unlimited

        var keepsNothing: Bool {
            if case .atMost(let number) = self { number <= 0 } else { false }
        }
    }

    /// How many sets each rule keeps; a rule that is not in it keeps none.
    public var counts: [Rule: Count]
    /// All sets are kept that are not older than this, counted from the newest one (`keep_within`); nil keeps none.
    public var within: RetentionPeriod?

    /// Gathers rules.
    ///
    /// - Parameters:
    ///   - counts: How many sets each rule keeps.
    ///   - within: Sets that are not older than this, counted from the newest one, are kept.
    public init(_ counts: [Rule: Count] = [:], within: RetentionPeriod? = nil) {
        (self.counts, self.within) = (counts, within)
    }

    static let keyOfPeriod = "keep_within"

    /// No set would be kept: this is refused wherever sets are removed.
    var keepsNothing: Bool {
        counts.values.allSatisfy(\.keepsNothing) && within?.isZero != false
    }

    static let emptyMessage = "'retention' keeps no set"
    static let emptyHint = "give at least one of \((Rule.allCases.map(\.key) + [keyOfPeriod]).joined(separator: ", "))"
}
