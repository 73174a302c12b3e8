import Postgres

/// Reads where sequences stand, many at a time.
struct SequenceReader {
    let connection: Connection

    private static let batchSize = 200

    /// Reads the positions of sequences.
    ///
    /// To be called in the run's snapshot. Sequences do not obey snapshots, their present position is read; taken after
    /// the snapshot it is never behind a value in the rows of that moment.
    /// - Parameter sequences: Each once or more often.
    /// - Returns: The position of each, by its OID, or why it could not be read.
    /// - Throws: `PostgresError` when the connection was lost; `CancellationError`.
    func read(_ sequences: [TableSequence]) async throws -> [Relation.OID: Result<SequenceValue, any Error>] {
        var results: [Relation.OID: Result<SequenceValue, any Error>] = [:]
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

    /// Reads a batch in one query; when that fails, its halves, down to the one that is to blame.
    private func read(
        _ batch: ArraySlice<TableSequence>,
        into results: inout [Relation.OID: Result<SequenceValue, any Error>]
    ) async throws {
        do {
            let positions = try await positions(batch)
            for (sequence, position) in zip(batch, positions) { results[sequence.oid] = .success(position) }
        } catch {
            try Task.checkCancellation()
            if error.isLostConnection { throw error }
            guard batch.count > 1 else {
                for sequence in batch { results[sequence.oid] = .failure(error) }
                return
            }
            let middle = batch.startIndex + batch.count / 2
            try await read(batch[..<middle], into: &results)
            try await read(batch[middle...], into: &results)
        }
    }

    private func positions(_ batch: ArraySlice<TableSequence>) async throws -> [SequenceValue] {
        let query = batch.enumerated().map { number, sequence in
            "select \(number) as number, last_value, is_called from \(sequence.name.quoted)"
        }.joined(separator: " union all ")
        // Rolled back in any case, so that the server's lock table does not fill up with sequences.
        try await connection.execute("savepoint sequence_positions")
        let result: Result<QueryResult, PostgresError>
        do throws(PostgresError) {
            result = .success(try await connection.query(query + " order by number"))
        } catch {
            result = .failure(error)
        }
        try await connection.execute("rollback to savepoint sequence_positions; release savepoint sequence_positions")
        return try result.get().rows.map { row in
            guard let value = row["last_value"].flatMap({ Int64($0) }), let isCalled = row["is_called"] else {
                throw DatabudgieError(.internalInconsistency, "A sequence returned no position.")
            }
            return SequenceValue(lastValue: value, isCalled: isCalled == "t")
        }
    }

    private static func refusal(_ sequence: TableSequence) -> DatabudgieError {
        DatabudgieError(
            .database,
            "the role may not read the position of the sequence \(sequence.name); grant it SELECT on the sequence and "
                + "USAGE on its schema, or set 'sequences: false' for the table."
        )
    }
}
