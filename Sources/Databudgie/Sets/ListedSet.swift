public import Foundation

/// A set, or a run that has not made one, as a list shows it.
public struct ListedSet: Sendable {
    /// What there is under an id.
    @nonexhaustive
    public enum State: String, Sendable {
        /// Everything that was asked for is there.
        case complete
        /// Tables failed, or the run was interrupted.
        case partial
        /// A newer set has replaced files of this one.
        case superseded
        /// A run is writing it.
        case running
        /// A run was killed before it could write a record.
        case crashed
        /// The record is damaged, of a later format, or cannot be read.
        case unreadable
    }

    /// The id: the moment of the run.
    public let id: String
    /// What there is.
    public let state: State
    /// What the record says; nil without one that can be read.
    public let summary: SetSummary?
    /// What the mark of a run says that has not ended; nil for a set, and for a mark that was cut off.
    public let run: RunningMark?
    /// Why the record cannot be used; nil when it can.
    public let problem: DatabudgieError?
    /// The result of the last verification; nil when it was never verified, or when that result cannot be read.
    public internal(set) var verification: SetVerification?

    /// The moment of the run; nil when the id is not in the calendar.
    public var moment: Date? { try? Date(id + "Z", strategy: .iso8601) }

    init(
        id: String,
        state: State,
        summary: SetSummary? = nil,
        run: RunningMark? = nil,
        problem: DatabudgieError? = nil
    ) {
        self.id = id
        self.state = state
        self.summary = summary
        self.run = run
        self.problem = problem
    }

    init(id: String, _ summary: SetSummary) {
        let state: State =
            switch summary.status {
            case _ where summary.supersededBy != nil: .superseded
            case .complete: .complete
            case .partial: .partial
            }
        self.init(id: id, state: state, summary: summary)
    }
}
