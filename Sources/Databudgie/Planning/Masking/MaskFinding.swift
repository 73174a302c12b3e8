/// Something about masks that stops a backup, or that the user should know.
public struct MaskFinding: Sendable, Hashable {
    /// The kind of a finding.
    @nonexhaustive
    public enum Code: String, Sendable, CaseIterable {
        /// No rule says what becomes of a column.
        case unclassified
        /// A rule matches no column.
        case unmatchedRule = "unmatched_rule"
        /// Several rules give a column different masks.
        case ambiguous
        /// Columns that must have the same mask have different ones.
        case conflict
        /// Different values may get the same mask, and the database refuses equal ones.
        case notUnique = "not_unique"
        /// NULL, for a column that refuses it.
        case notNull = "not_null"
        /// A mask that has no room in its column.
        case tooLong = "too_long"
        /// A mask for other types.
        case wrongType = "wrong_type"
        /// A column that can only be kept.
        case protectedColumn = "protected_column"
        /// A column whose values may hold those of masked ones.
        case mayHoldCopies = "may_hold_copies"
        /// A column is kept whose name says that it is about a person.
        case suspiciousKeep = "suspicious_keep"
        /// Masked values that a CHECK constraint or a domain refuses.
        case violatesCheck = "violates_check"
        /// Masks that depend on a key, without one.
        case noKey = "no_key"
        /// Rows that few others are like, which makes them easy to recognize.
        case smallGroups = "small_groups"
    }

    /// The kind.
    public let code: Code
    /// The column, `schema.table.column`; nil for what concerns no column alone.
    public let column: String?
    /// What was found, without the column and without a full stop.
    public let message: String
    /// What to write instead; nil when there is nothing useful to say.
    public let suggestion: String?
    /// Where the rule is: `databudgie.yml:12`; nil when no rule is concerned.
    public let place: String?
    /// It stops a backup; otherwise it is a warning.
    public let isProblem: Bool

    init(
        _ code: Code,
        _ column: String?,
        _ message: String,
        suggestion: String? = nil,
        place: String? = nil,
        isProblem: Bool = true
    ) {
        (self.code, self.column, self.message) = (code, column, message)
        (self.suggestion, self.place, self.isProblem) = (suggestion, place, isProblem)
    }

    /// Column, kind, message, suggestion and place in one line.
    public var sentence: String {
        let subject = column.map { "\($0)  " } ?? ""
        let advice = suggestion.map { " (\($0))" } ?? ""
        return "\(subject)\(code.rawValue): \(message)\(advice)" + (place.map { "   \($0)" } ?? "")
    }

    /// The same for the messages of a run.
    var finding: Finding {
        let text = (place.map { "\($0): " } ?? "") + (column.map { "\($0): " } ?? "") + message
        return Finding(isProblem ? .problem : .warning, text, hint: suggestion)
    }
}
