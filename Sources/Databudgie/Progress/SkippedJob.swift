/// A job that was skipped on purpose.
public struct SkippedJob: Sendable {
    /// Which job it was.
    public let job: JobID
    /// Why, without a full stop.
    public let reason: String

    /// Describes a skipped job.
    ///
    /// - Parameters:
    ///   - job: Which job it was.
    ///   - reason: Why, without a full stop.
    public init(_ job: JobID, reason: String) {
        self.job = job
        self.reason = reason
    }
}
