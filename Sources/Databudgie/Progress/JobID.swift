/// Which job of a run: what it moves, of what, and its number in the plan.
///
/// The same table may be exported twice with different queries, and its rows and its sequences may fail apart.
public struct JobID: Sendable, CustomStringConvertible {
    /// What a job moves.
    @nonexhaustive
    public enum Subject: String, Sendable {
        /// The rows of a table or a view.
        case rows
        /// The result of a query that names no table.
        case query
        /// The values of a table's sequences.
        case sequences
        /// The definition of a table, or of what belongs to a schema.
        case definition
    }

    /// What the job moves.
    public let subject: Subject
    /// A table's `schema.name`, or the location of an unnamed query.
    public let name: String
    /// The job's place in the plan, from 0; what belongs to a table's rows has their number.
    public let number: Int

    /// Names a job.
    ///
    /// - Parameters:
    ///   - subject: What it moves.
    ///   - name: A table's `schema.name`, or a location.
    ///   - number: The job's place in the plan, from 0.
    public init(_ subject: Subject, of name: String, number: Int) {
        self.subject = subject
        self.name = name
        self.number = number
    }

    /// The name under which the job is shown.
    public var description: String { name }
}

extension JobID: Hashable {
    /// Whether two jobs are the same; names are compared by their bytes.
    public static func == (left: JobID, right: JobID) -> Bool {
        left.number == right.number && left.subject == right.subject && left.name.hasBytes(of: right.name)
    }

    /// Feeds what identifies the job to a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(number)
        hasher.combine(subject)
        hasher.combine(ByteKey(name))
    }
}
