public import Postgres

/// The value of a sequence.
public struct SequenceValue: Sendable, Hashable {
    /// The sequence's name and schema.
    public let name: QualifiedName
    /// The last value that was given out, or the first one to be given out.
    public let lastValue: Int64
    /// False when the next value is ``lastValue`` itself, as in a new sequence.
    public let isCalled: Bool
}
