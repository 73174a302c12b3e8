import Postgres
import Storage

/// Sets the sequences of the tables that were loaded.
struct SequenceSetter {
    let session: Session
    let idleInTransactionTimeout: Double?

    private static let batchSize = 500

    private static let statement = """
        select pg_catalog.count(case
            -- Where an earlier run has loaded the table, somebody may have gone on with it since.
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
        ) as position (sequence, value, is_called, only_forward)
        join pg_catalog.pg_sequence s on s.seqrelid operator(pg_catalog.=) sequence
        """

    /// Sets the sequences of all tables; those of a table whose load failed stay where they are.
    ///
    /// `setval` is not undone by a rollback (PostgreSQL documentation, "Sequence Manipulation Functions"), so that this
    /// comes after the tables' transactions have been committed.
    /// - Parameters:
    ///   - settings: What the preflight has found to be right.
    ///   - loaded: The tables whose rows have been committed.
    ///   - isStopped: A failure has ended the run, and what is not about loaded tables is left out.
    /// - Throws: `CancellationError`, and `PostgresError` when the connection was lost.
    func run(_ settings: [SequenceSetting], loaded: Set<TableLabel>, isStopped: Bool) async throws {
        let due = settings.filter { item in
            switch item.job.rows {
            case .loaded: loaded.contains(item.job.label)
            case .loadedBefore: true
            case .leftOut: !isStopped
            }
        }
        for batch in due.batches(of: Self.batchSize) {
            for item in batch where item.job.isAlone { session.recorder.started(item.job.label) }
            do {
                try await set(batch)
                batch.forEach(succeeded)
            } catch {
                try await stopIfLost(error)
                // One after another, which tells whose sequence it was; setting one twice does no harm.
                for item in batch { try await setAlone(item) }
            }
        }
    }

    private func setAlone(_ item: SequenceSetting) async throws {
        do {
            try await set([item])
            succeeded(item)
        } catch {
            try await stopIfLost(error)
            let names = item.positions.map(\.sequence.name.description).joined(separator: ", ")
            session.recorder.failed(
                item.job.isAlone ? item.job.label : item.job.label.ofSequences,
                DatabudgieError(
                    .database,
                    "the positions of \(names) could not be set: \(error)",
                    underlying: error
                )
            )
        }
    }

    private func set(_ settings: [SequenceSetting]) async throws {
        let positions = settings.flatMap(\.positions)
        let onlyForward = settings.flatMap { item in item.positions.map { _ in item.job.rows == .loadedBefore } }
        guard !positions.isEmpty else { return }
        try await session.connection.withTransaction(.writing) { connection in
            try await connection.pinSessionSettings(
                .restore,
                overrides: .idleInTransactionTimeout(idleInTransactionTimeout)
            )
            _ = try await connection.query(
                Self.statement,
                [
                    positions.map(\.sequence.oid).arrayLiteral,
                    positions.map(\.position.lastValue).arrayLiteral,
                    positions.map(\.position.isCalled).arrayLiteral,
                    onlyForward.arrayLiteral,
                ]
            )
        }
    }

    private func succeeded(_ item: SequenceSetting) {
        let names = item.positions.map { "\($0.sequence.name) to \($0.position.lastValue)" }.joined(separator: ", ")
        if !names.isEmpty { session.recorder.detail("\(item.job.label): set \(names)") }
        if item.job.isAlone {
            let totals = TransferTotals(rows: 0, bytes: 0, fileBytes: 0)
            session.recorder.finished(item.job.label, totals: totals, path: item.job.file.path)
        }
    }

    private func stopIfLost(_ error: any Error) async throws {
        if error is CancellationError { throw error }
        try Task.checkCancellation()
        if error.isLostConnection { throw error }
    }
}

extension TableLabel {
    /// The label under which a table's sequences fail when its rows are there.
    fileprivate var ofSequences: TableLabel {
        TableLabel(number: -1 - number, description: "\(description) (sequences)")
    }
}
