import FoundationEssentials

/// A job that failed and left nothing behind.
public struct JobFailure: Sendable, CustomStringConvertible {
    /// Which job it was.
    public let job: JobID
    /// What happened, without the table's name and without a full stop.
    public let message: String
    /// What to do about it.
    public let hint: String?
    /// What went wrong; nil when the job failed because another one did.
    let error: (any Error)?
    /// When it failed.
    let time: Date

    init(_ job: JobID, message: String, hint: String? = nil, error: (any Error)? = nil, at time: Date = Date()) {
        self.job = job
        self.message = message
        self.hint = hint
        self.error = error
        self.time = time
    }

    /// A job that failed by itself.
    init(_ job: JobID, _ error: any Error) {
        let text = ErrorText(error)
        self.init(job, message: text.message, hint: text.hint, error: error)
    }

    /// A job that has problems, which were found before it began.
    init(_ job: JobID, problems: [Finding]) {
        let sentences = problems.map { $0.table?.hasBytes(of: job.name) == true ? $0.message : $0.sentence }
        var hints: [String] = []
        for hint in problems.compactMap(\.hint) where !hints.contains(where: { $0.hasBytes(of: hint) }) {
            hints.append(hint)
        }
        self.init(
            job,
            message: sentences.joined(separator: "; "),
            hint: hints.isEmpty ? nil : hints.joined(separator: "; "),
            error: DatabudgieError(.preflight, problems)
        )
    }

    /// The failure as a sentence with its table.
    public var sentence: String { "\(job): \(message)" }

    /// The sentence and the hint in one line.
    public var description: String { sentence + (hint.map { "; \($0)" } ?? "") }
}
