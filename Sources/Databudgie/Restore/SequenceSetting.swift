/// What the sequences of one table are to be set to.
struct SequenceSetting: Sendable {
    let job: SequenceJob
    let states: [(sequence: TableSequence, state: SequenceState)]

    /// The same for the outcome of a job.
    var values: [SequenceValue] {
        states.map { SequenceValue(name: $0.name, lastValue: $1.lastValue, isCalled: $1.isCalled) }
    }

    /// The setting of some of its sequences.
    func keeping(_ isKept: (TableSequence) -> Bool) -> SequenceSetting {
        SequenceSetting(job: job, states: states.filter { isKept($0.sequence) })
    }
}

extension DatabaseCatalog {
    /// The tables that use a sequence, by its OID.
    var sequenceUsers: [Relation.OID: Set<Relation.OID>] {
        var users: [Relation.OID: Set<Relation.OID>] = [:]
        for relation in relations {
            for sequence in relation.sequences { users[sequence.oid, default: []].insert(relation.oid) }
        }
        return users
    }

    /// The tables that have no other rows than the run's after a group is loaded: those that it empties or has created,
    /// with their partitions, and with children by inheritance, which have no rows unless they are listed themselves.
    func emptied(by jobs: [RestoreJob]) -> Set<Relation.OID> {
        let keeping = Set(jobs.filter { !$0.isEmptied }.map(\.relation.oid))
        return Set(jobs.filter(\.isEmptied).flatMap { [$0.relation.oid] + descendants(of: $0.relation.oid) })
            .subtracting(keeping)
    }
}
