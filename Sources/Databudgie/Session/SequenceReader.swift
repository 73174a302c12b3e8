import Postgres

/// Reads the values of sequences, many at a time.
struct SequenceReader {
    let connection: Connection

    private static let batchSize = 200

    /// Reads the values of sequences.
    ///
    /// To be called in the run's snapshot. Sequences do not obey snapshots: their current value is read, and because that
    /// comes after the snapshot, it is never behind a value in the rows of that moment.
    /// - Parameter sequences: Each once or more often.
    /// - Returns: The state of each, by its OID, or why it could not be read.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func read(_ sequences: [TableSequence]) async throws -> [Relation.OID: Result<SequenceState, any Error>] {
        var results: [Relation.OID: Result<SequenceState, any Error>] = [:]
        var readable: [TableSequence] = []
        for sequence in sequences where results[sequence.oid] == nil {
            results[sequence.oid] = .failure(Self.refusal(sequence))
            if sequence.isReadable { readable.append(sequence) }
        }
        for batch in readable.batches(of: Self.batchSize) {
            try await read(batch[...], into: &results)
        }
        return results
    }

    /// Reads a batch in one query; when that fails, its halves, down to the one that fails.
    private func read(
        _ batch: ArraySlice<TableSequence>,
        into results: inout [Relation.OID: Result<SequenceState, any Error>]
    ) async throws {
        do {
            let states = try await states(batch)
            for (sequence, state) in zip(batch, states) { results[sequence.oid] = .success(state) }
        } catch {
            try rethrowUnlessJobFailed(error)
            guard batch.count > 1 else {
                for sequence in batch { results[sequence.oid] = .failure(error) }
                return
            }
            let middle = batch.startIndex + batch.count / 2
            try await read(batch[..<middle], into: &results)
            try await read(batch[middle...], into: &results)
        }
    }

    private func states(_ batch: ArraySlice<TableSequence>) async throws -> [SequenceState] {
        let query = batch.enumerated().map { number, sequence in
            "select \(number) as number, last_value, is_called from \(sequence.name.quoted)"
        }.joined(separator: " union all ")
        // The server's lock table would fill up with sequences.
        let result = try await connection.withDiscardedSavepoint("sequence_states") {
            // Parsing locks what the names mean now; nothing is run before that is known to be the sequences themselves: a view
            // that has taken a sequence's name would run its owner's functions with our privileges (as in CVE-2024-7348).
            _ = try await connection.describe(query)
            try await checkNames(batch)
            return try await connection.query(ownText: query + " order by number")
        }
        return try result.rows.map { row in
            guard let value = row["last_value"].flatMap({ Int64($0) }), let isCalled = row["is_called"] else {
                throw DatabudgieError(.internalInconsistency, "a sequence returned no value")
            }
            return SequenceState(lastValue: value, isCalled: isCalled == "t")
        }
    }

    /// Compares what the names mean at this moment, whatever the snapshot sees, with the sequences that were planned.
    private func checkNames(_ batch: ArraySlice<TableSequence>) async throws {
        let values = batch.indices.map { "($\($0 - batch.startIndex + 1)::pg_catalog.text)" }.joined(separator: ", ")
        let rows = try await connection.query(
            "select pg_catalog.to_regclass(name)::pg_catalog.oid as oid from (values \(values)) as sequence (name)",
            batch.map(\.name.quoted)
        ).rows
        for (sequence, row) in zip(batch, rows) where row["oid"].flatMap(Relation.OID.init) != sequence.oid {
            throw DatabudgieError(
                .database,
                "the sequence \(sequence.name) was renamed or replaced during the backup",
                hint: "run the backup again when no migration is running"
            )
        }
    }

    private static func refusal(_ sequence: TableSequence) -> DatabudgieError {
        DatabudgieError(
            .database,
            "the role lacks SELECT on the sequence \(sequence.name), or USAGE on its schema",
            hint: "grant it, or set 'sequences: false' for the table"
        )
    }
}
