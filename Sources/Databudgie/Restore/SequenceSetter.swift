import Postgres
import Storage

/// Sets the sequences of the tables that were loaded.
struct SequenceSetter {
    let session: DatabaseSession

    private static let batchSize = 500

    private static let statement = """
        select pg_catalog.count(case
            -- When an earlier run has loaded the table, another session may have used the sequence since.
            when not only_forward then pg_catalog.setval(sequence::pg_catalog.regclass, value, is_called)
            when pg_catalog.pg_sequence_last_value(sequence::pg_catalog.regclass) is null
                or case when s.seqincrement operator(pg_catalog.>) 0
                    then pg_catalog.pg_sequence_last_value(sequence::pg_catalog.regclass) operator(pg_catalog.<) value
                    else pg_catalog.pg_sequence_last_value(sequence::pg_catalog.regclass) operator(pg_catalog.>) value end
                then pg_catalog.setval(sequence::pg_catalog.regclass, value, is_called)
            end)
        from rows from (
            pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int8[]),
            pg_catalog.unnest($3::pg_catalog.bool[]), pg_catalog.unnest($4::pg_catalog.bool[])
        ) as setting (sequence, value, is_called, only_forward)
        join pg_catalog.pg_sequence s on s.seqrelid operator(pg_catalog.=) sequence
        """

    /// Sets the sequences of all tables; those of a table whose load failed are not set.
    ///
    /// `setval` is not undone by a rollback (PostgreSQL documentation, "Sequence Manipulation Functions"), so this comes
    /// after the tables' transactions have been committed.
    /// - Parameters:
    ///   - settings: What the preflight has found to be right.
    ///   - loaded: The jobs whose rows have been committed.
    ///   - isStopped: A failure has ended the run, and what is not about loaded tables is skipped.
    /// - Returns: What became of the sequences that are jobs of their own, and failures.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func run(_ settings: [SequenceSetting], loaded: Set<JobID>, isStopped: Bool) async throws -> [JobResult] {
        let due = settings.filter { item in
            switch item.job.rows {
            case .loaded: loaded.contains(JobID(.rows, of: item.job.id.name, number: item.job.id.number))
            case .loadedBefore: true
            case .skipped: !isStopped
            }
        }
        var results: [JobResult] = []
        for batch in due.batches(of: Self.batchSize) {
            let start = ContinuousClock.now
            for item in batch where item.job.isAlone { session.recorder.started(item.job.id) }
            do {
                try await set(batch)
                results += batch.compactMap { succeeded($0, since: start) }
            } catch {
                try rethrowUnlessJobFailed(error)
                // One after another, to find out whose sequence it was; setting one twice does no harm.
                for item in batch {
                    if let result = try await setAlone(item, since: start) { results.append(result) }
                }
            }
        }
        return results
    }

    private func setAlone(_ item: SequenceSetting, since start: ContinuousClock.Instant) async throws -> JobResult? {
        do {
            try await set([item])
            return succeeded(item, since: start)
        } catch {
            try rethrowUnlessJobFailed(error)
            let names = item.states.map(\.sequence.name.description).joined(separator: ", ")
            let text = ErrorText(error)
            return session.recorder.ended(
                .failed(
                    JobFailure(
                        item.job.id,
                        DatabudgieError(
                            .database,
                            "the values of \(names) could not be set: \(text.message)",
                            hint: text.hint,
                            underlying: error
                        )
                    )
                )
            )
        }
    }

    private func set(_ settings: [SequenceSetting]) async throws {
        let states = settings.flatMap(\.states)
        let onlyForward = settings.flatMap { item in item.states.map { _ in item.job.rows == .loadedBefore } }
        guard !states.isEmpty else { return }
        try await session.withTransaction(.writing) {
            _ = try await session.connection.query(
                Self.statement,
                [
                    states.map(\.sequence.oid).arrayLiteral,
                    states.map(\.state.lastValue).arrayLiteral,
                    states.map(\.state.isCalled).arrayLiteral,
                    onlyForward.arrayLiteral,
                ]
            )
        }
    }

    private func succeeded(_ item: SequenceSetting, since start: ContinuousClock.Instant) -> JobResult? {
        let names = item.states.map { "\($0.sequence.name) to \($0.state.lastValue)" }.joined(separator: ", ")
        if !names.isEmpty { session.recorder.found(.note("set \(names)", of: item.job.id)) }
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
