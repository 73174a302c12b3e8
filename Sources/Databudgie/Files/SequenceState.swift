/// What a sequence has given out.
struct SequenceState: Sendable, Hashable {
    let lastValue: Int64
    /// False when the next value is ``lastValue`` itself, as in a new sequence.
    let isCalled: Bool

    /// Whether a sequence that is here has given out more than one that is there.
    ///
    /// - Parameters:
    ///   - other: Another state.
    ///   - isDescending: The sequence has a negative increment.
    /// - Returns: False also when both have given out the same.
    func isFurther(than other: SequenceState, isDescending: Bool) -> Bool {
        guard lastValue == other.lastValue else { return (lastValue < other.lastValue) == isDescending }
        return isCalled && !other.isCalled
    }
}
