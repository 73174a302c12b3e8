/// How far several statements came.
public struct ScriptOutcome: Sendable {
    /// The command tags of the statements that were run, in their order, such as `CREATE TABLE`.
    public let tags: [String]
    /// Why the next one was refused, or all of them; nil when all were run.
    public let failure: PostgresError?

    init(tags: [String], failure: PostgresError? = nil) {
        self.tags = tags
        self.failure = failure
    }
}
