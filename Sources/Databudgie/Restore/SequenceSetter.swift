import Postgres
import Storage

/// Sets the sequences of the tables that were loaded.
struct SequenceSetter {
    var session: DatabaseSession
    /// The tables that use each sequence.
    let users: [Relation.OID: Set<Relation.OID>]

    private static let batchSize = 500

    private var connection: Connection { session.connection }

    /// What one sequence is to be set to.
    private struct Target {
        let tableSequence: TableSequence
        var state: SequenceState
        /// Whether it may go back: no other row than the run's has a value of it.
        let isExact: Bool
        /// The job that is the first to ask for it.
        let job: JobID
    }

    /// Sets sequences; those of a table whose load failed must not be among them.
    ///
    /// `setval` is not undone by a rollback (PostgreSQL documentation, "Sequence Manipulation Functions"), so this comes
    /// after the tables' transaction has been committed. A sequence goes back only if every table that uses it was emptied
    /// or created by that transaction: other rows have its later values, and other sessions may have used it since.
    /// - Parameters:
    ///   - settings: What the preflight has found to be right.
    ///   - emptied: Tables that have no other rows than those which were just loaded.
    /// - Returns: What became of the sequences that are jobs of their own, and failures.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func run(_ settings: [SequenceSetting], emptied: Set<Relation.OID>) async throws -> [JobResult] {
        var results: [JobResult] = []
        for batch in settings.batches(of: Self.batchSize) {
            let start = ContinuousClock.now
            for item in batch where item.job.isAlone { session.recorder.started(item.job.id) }
            do {
                try await set(targets(batch, emptied))
                results += batch.compactMap { succeeded($0, since: start) }
            } catch {
                try rethrowUnlessJobFailed(error)
                // One after another, to find out whose sequence it was; setting one twice does no harm.
                for item in batch {
                    if let result = try await setAlone(item, emptied, since: start) { results.append(result) }
                }
            }
        }
        return results
    }

    /// Sets sequences in the caller's transaction, which takes their values back when it is rolled back: those that it has
    /// created, and those of tables that it has emptied.
    ///
    /// - Parameters:
    ///   - settings: What they are to be set to.
    ///   - existing: The sequences that were there before, which the role must own.
    /// - Throws: ``DatabudgieError``, upon which the caller must roll back.
    func setTransactional(_ settings: [SequenceSetting], existing: Set<Relation.OID>) async throws {
        let targets = targets(settings, Set(users.values.joined()))
        do {
            for batch in targets.batches(of: Self.batchSize) {
                for target in batch where existing.contains(target.tableSequence.oid) {
                    try await rewrite(target.tableSequence)
                }
                try await apply(batch)
            }
        } catch {
            try rethrowUnlessJobFailed(error)
            throw Self.failure(of: settings, error)
        }
    }

    /// Gives a sequence new storage, which a rollback removes with the value that is put into it.
    ///
    /// ALTER SEQUENCE does so, unlike setval (PostgreSQL documentation, "ALTER SEQUENCE"); its upper bound stays as it is.
    private func rewrite(_ sequence: TableSequence) async throws {
        try await connection.execute("alter sequence \(sequence.name.quoted) maxvalue \(sequence.bounds.upperBound)")
        let query = "select pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid as oid"
        guard try await connection.query(query, [sequence.name.quoted]).rows.first?["oid"] == String(sequence.oid)
        else {
            throw DatabudgieError(.database, "the sequence \(sequence.name) was renamed or replaced during the restore")
        }
    }

    /// One target for each sequence, the furthest of those that tables which share it ask for.
    private func targets(_ settings: [SequenceSetting], _ emptied: Set<Relation.OID>) -> [Target] {
        var targets: [Target] = []
        var places: [Relation.OID: Int] = [:]
        for item in settings {
            for (sequence, state) in item.states {
                guard let place = places[sequence.oid] else {
                    places[sequence.oid] = targets.count
                    let isExact = users[sequence.oid, default: []].isSubset(of: emptied)
                    targets.append(Target(tableSequence: sequence, state: state, isExact: isExact, job: item.job.id))
                    continue
                }
                if state.isFurther(than: targets[place].state, isDescending: sequence.isDescending) {
                    targets[place].state = state
                }
            }
        }
        return targets
    }

    private func set(_ targets: [Target]) async throws {
        guard !targets.isEmpty else { return }
        await FailPoint.reached(.sequencesUnset)
        try await session.withTransaction(.writing) { try await apply(targets) }
        await FailPoint.reached(.sequencesSet)
    }

    private func apply(_ targets: [Target]) async throws {
        let exact = targets.filter(\.isExact)
        if !exact.isEmpty {
            _ = try await connection.query(ownText: Self.statement(setting: exact))
            exact.forEach { report($0, isSet: true) }
        }
        try await advance(targets.filter { !$0.isExact })
    }

    private static func statement(setting targets: [Target]) -> String {
        let values = targets.map { target in
            let (oid, value) = (target.tableSequence.oid, quotedLiteral(String(target.state.lastValue)))
            return "('\(oid)'::pg_catalog.regclass, \(value)::pg_catalog.int8, \(target.state.isCalled))"
        }
        return """
            select pg_catalog.count(pg_catalog.setval(sequence, value, is_called))
            from (values \(values.joined(separator: ", "))) as setting (sequence, value, is_called)
            """
    }

    /// Sets sequences that may only go forward.
    private func advance(_ targets: [Target]) async throws {
        let readable = targets.filter(\.tableSequence.isReadable)
        for target in targets where !target.tableSequence.isReadable {
            session.recorder.found(
                .warning(
                    "the sequence \(target.tableSequence.name) is not set, because other rows than those of the restore may have "
                        + "its values, and the role lacks SELECT on it",
                    of: target.job,
                    hint: "grant it"
                )
            )
        }
        guard !readable.isEmpty else { return }
        // A view that has taken a sequence's name is not read.
        await connection.restrictViewsWithNext(true)
        let query = readable.enumerated().map { Self.advance($1, number: $0) }.joined(separator: " union all ")
        var isSet: [Int: Bool] = [:]
        for row in try await connection.query(ownText: query).rows {
            if let number = row["number"].flatMap({ Int($0) }) { isSet[number] = row["is_set"] == "t" }
        }
        await connection.restrictViewsWithNext(false)
        for (number, target) in readable.enumerated() {
            guard let isSet = isSet[number] else {
                throw DatabudgieError(
                    .database,
                    "the sequence \(target.tableSequence.name) was renamed or replaced during the restore"
                )
            }
            report(target, isSet: isSet)
        }
    }

    /// Compares and sets in one statement, because other sessions use the sequence meanwhile.
    private static func advance(_ target: Target, number: Int) -> String {
        let (sequence, state) = (target.tableSequence, target.state)
        let value = "\(quotedLiteral(String(state.lastValue)))::pg_catalog.int8"
        let order = sequence.isDescending ? "<" : ">"
        return """
            select \(number) as number, case
                when \(value) operator(pg_catalog.\(order)) now.last_value
                    or \(value) operator(pg_catalog.=) now.last_value and \(state.isCalled) and not now.is_called
                then pg_catalog.setval('\(sequence.oid)'::pg_catalog.regclass, \(value), \(state.isCalled)) is not null
                else false end as is_set
            from \(sequence.name.quoted) as now where now.tableoid operator(pg_catalog.=) '\(sequence.oid)'::pg_catalog.oid
            """
    }

    private func report(_ target: Target, isSet: Bool) {
        let (name, value) = (target.tableSequence.name, target.state.lastValue)
        session.recorder.found(
            .note(
                isSet ? "set \(name) to \(value)" : "\(name) is at \(value) or beyond, and keeps its value",
                of: target.job
            )
        )
    }

    private func setAlone(
        _ item: SequenceSetting,
        _ emptied: Set<Relation.OID>,
        since start: ContinuousClock.Instant
    ) async throws -> JobResult? {
        do {
            try await set(targets([item], emptied))
            return succeeded(item, since: start)
        } catch {
            try rethrowUnlessJobFailed(error)
            return session.recorder.ended(.failed(JobFailure(item.job.id, Self.failure(of: [item], error))))
        }
    }

    private static func failure(of settings: [SequenceSetting], _ error: any Error) -> DatabudgieError {
        let names = settings.flatMap { $0.states.map(\.sequence.name.description) }
        let text = ErrorText(error)
        return DatabudgieError(
            .database,
            "the values of \(names.listed()) could not be set: "
                + text.message,
            hint: text.hint,
            underlying: error
        )
    }

    private func succeeded(_ item: SequenceSetting, since start: ContinuousClock.Instant) -> JobResult? {
        guard item.job.isAlone else { return nil }
        let outcome = JobOutcome(
            job: item.job.id,
            totals: .zero,
            file: item.job.file,
            duration: .now - start,
            sequences: item.values
        )
        return session.recorder.ended(.finished(outcome))
    }
}

extension SequenceSetter {
    /// The sequences that exist already, before a transaction creates others.
    ///
    /// - Parameter connection: The target.
    /// - Returns: Their OIDs.
    /// - Throws: `PostgresError`.
    static func existing(over connection: Connection) async throws -> Set<Relation.OID> {
        let query = "select oid from pg_catalog.pg_class where relkind operator(pg_catalog.=) 'S'"
        return Set(try await connection.query(query).rows.compactMap { $0["oid"].flatMap(Relation.OID.init) })
    }
}
