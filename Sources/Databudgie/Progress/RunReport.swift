/// A run's result.
public struct RunReport: Sendable {
    /// What the run did.
    public let kind: RunKind
    /// Complete jobs: those of a backup in the order of its plan, those of a restore in the order in which they ended.
    public let finished: [JobOutcome]
    /// Jobs that were skipped on purpose.
    public let skipped: [SkippedJob]
    /// Jobs that failed; a run with any of them is not complete.
    public let failed: [JobFailure]
    /// How many rows a restore has set aside; a run with any of them is not complete either.
    public var rejectedRows: Int { finished.reduce(0) { $0 + ($1.rejected?.count ?? 0) } }
    /// Everything was done that was asked for.
    public var isComplete: Bool { failed.isEmpty && rejectedRows == 0 }
    /// Tables and views whose definitions were written, or run, by their full names.
    public let definitions: [String]
    /// The id of the set that a backup has written, or a restore has read; nil when there is none.
    public let set: String?
    /// What a restore has left behind that nothing came of; nil when something was done, and for a backup.
    public var effect: RunEffect?
    /// Wall time of the run.
    public let duration: Duration
    /// True when nothing was written on purpose (`--dry-run`).
    public let isDryRun: Bool
}
