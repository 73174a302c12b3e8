/// What a sequence has given out.
struct SequenceState: Sendable, Hashable {
    let lastValue: Int64
    /// False when the next value is ``lastValue`` itself, as in a new sequence.
    let isCalled: Bool
}
