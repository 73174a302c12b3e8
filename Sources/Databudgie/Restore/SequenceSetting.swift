/// What the sequences of one table are to be set to.
struct SequenceSetting: Sendable {
    let job: SequenceJob
    let states: [(sequence: TableSequence, state: SequenceState)]

    /// The same for the outcome of a job.
    var values: [SequenceValue] {
        states.map { SequenceValue(name: $0.name, lastValue: $1.lastValue, isCalled: $1.isCalled) }
    }
}
