import Postgres
import Storage

/// Loads the records of a file in batches, each in a savepoint, and sets those aside that the server refuses
/// (`max_rejects`).
struct RejectingCopy {
    let connection: Connection
    /// The COPY of a batch, which has no header.
    let statement: String
    let job: RestoreJob
    let format: LoadFormat
    let component: PathComponent
    let files: RejectFiles

    /// Bytes of a batch: what is loaded again, in halves, to find a row.
    static let batchSize = 1 << 20

    /// What became of the records.
    private final class Progress {
        var header: [UInt8] = []
        var rows = 0
        var rejected = 0
    }

    /// Loads all records.
    ///
    /// - Parameter stream: The whole file, header first, in chunks of any size.
    /// - Returns: How many rows the server stored, and how many were set aside.
    /// - Throws: ``DatabudgieError`` when more rows than allowed are refused, or when they cannot be written; `PostgresError` for
    ///   every other failure of the server; the stream's error.
    func run(
        _ stream: some AsyncSequence<[UInt8], any Error> & Sendable
    ) async throws -> (rows: Int, rejected: Int) {
        try await files.begin(job.id, component: component)
        let progress = Progress()
        var splitter = CSVRecordSplitter(
            size: Self.batchSize,
            endsWithCarriageReturn: format.header.endsWithCarriageReturn
        )
        for try await chunk in stream {
            for batch in splitter.add(chunk) { try await load(batch, progress) }
        }
        try await load(splitter.take(), progress)
        return (progress.rows, progress.rejected)
    }

    private func load(_ batch: CSVRecordBatch, _ progress: Progress) async throws {
        var first = 0
        if progress.header.isEmpty, batch.count > 0 {
            progress.header = batch.bytes(of: 0..<1)
            first = 1
        }
        try await load(batch, first..<batch.count, progress)
    }

    /// Loads records, and if one of them is refused, each half of them.
    private func load(_ batch: CSVRecordBatch, _ records: Range<Int>, _ progress: Progress) async throws {
        guard !records.isEmpty else { return }
        try Task.checkCancellation()
        do {
            progress.rows += try await connection.withSavepoint("max_rejects") {
                try await connection.copyIn(ownText: statement, from: SingleChunk(filtered(batch.bytes(of: records))))
            }
        } catch let error as PostgresError where Self.isOfRow(error) {
            guard records.count > 1 else {
                return try await reject(batch, records.lowerBound, error, progress)
            }
            let middle = records.lowerBound + records.count / 2
            try await load(batch, records.lowerBound..<middle, progress)
            try await load(batch, middle..<records.upperBound, progress)
        }
    }

    private func reject(
        _ batch: CSVRecordBatch,
        _ record: Int,
        _ error: PostgresError,
        _ progress: Progress
    ) async throws {
        let line = batch.line(of: record)
        progress.rejected += 1
        guard progress.rejected <= job.maxRejects else {
            let path = await files.path(of: job.id, component: component)
            throw DatabudgieError(
                .database,
                "\(job.file.path): more than \(counted(job.maxRejects, "row")) would be rejected, the next in line \(line): "
                    + error.message,
                hint: "see \(path), and raise 'max_rejects' if the others are as they should be",
                underlying: error
            )
        }
        try await files.add(
            batch.bytes(of: record..<record + 1),
            header: progress.header,
            RejectFiles.Reason(
                line: line,
                sqlstate: error.sqlState,
                constraint: error.constraintName,
                columnName: error.columnName,
                message: error.message
            ),
            of: job.id,
            component: component
        )
    }

    private func filtered(_ records: [UInt8]) -> [UInt8] {
        guard format.keeps.contains(false) else { return records }
        var filter = CSVColumnFilter(
            keeping: format.keeps,
            endsWithCarriageReturn: format.header.endsWithCarriageReturn
        )
        return filter.filter(records)
    }

    /// Whether another row could be accepted: a value that cannot be read, a constraint that is violated, an index entry that is
    /// too large, or an exception of a trigger (PostgreSQL documentation, appendix A: classes 22, 23, and 54000, P0001).
    private static func isOfRow(_ error: PostgresError) -> Bool {
        guard error.code == .serverError, let state = error.sqlState else { return false }
        return state.utf8.starts(with: "22".utf8) || state.utf8.starts(with: "23".utf8)
            || ["54000", "P0001"].contains(state)
    }
}
