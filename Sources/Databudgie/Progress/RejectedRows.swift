/// Rows of a data file that the server has refused and a restore has set aside (`max_rejects`).
public struct RejectedRows: Sendable, Equatable {
    /// How many there are.
    public let count: Int
    /// The CSV file with them; beside it, with the suffix `jsonl`, is a line of JSON for each that says why.
    public let path: String
}
