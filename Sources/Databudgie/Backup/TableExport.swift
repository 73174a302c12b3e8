import Compression
import Postgres
import Storage

/// Streams the result of one query into one data file.
struct TableExport {
    let connection: Connection
    let storage: any Storage
    let job: BackupJob
    let isDryRun: Bool

    /// Runs the query and publishes its file when all of it has arrived; a failure leaves no file behind.
    ///
    /// - Parameter onProgress: Receives the totals so far, a few times a second.
    /// - Returns: The final totals.
    /// - Throws: `PostgresError`, `StorageError`, or ``DatabudgieError`` for a query that cannot be restored.
    func run(onProgress: @escaping @Sendable (TransferTotals) -> Void) async throws -> TransferTotals {
        try await checkColumns()
        let meter = TransferMeter(report: onProgress)
        let rows = try await connection.copyOut(
            "copy (\(job.query)\n) to stdout with (format csv, header)",
            hasHeader: true
        )
        let file = CompressedRows(rows: rows, writer: try SegmentWriter(format: job.compression), meter: meter)
        if isDryRun {
            for try await _ in file {}
        } else {
            _ = try await storage.write(job.path, ifExists: job.isUniquePath ? .fail : .replace, from: file)
        }
        return meter.totals
    }

    /// Asks the server to parse the query, so that a mistake is told before a file is begun.
    ///
    /// A restore finds columns by their names in the header, so that two equal ones could not be told apart.
    private func checkColumns() async throws {
        var seen: Set<[UInt8]> = []
        for column in try await connection.describe(job.query) where !seen.insert(Array(column.name.utf8)).inserted {
            throw DatabudgieError(
                .configuration,
                "The query returns two columns named \"\(column.name)\"; give one of them another name with AS."
            )
        }
    }
}

/// The data file's bytes: rows as COPY sends them, compressed in segments of whole rows.
private struct CompressedRows: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    let rows: CopyOut
    let writer: SegmentWriter
    let meter: TransferMeter

    func makeAsyncIterator() -> Iterator {
        Iterator(rows: rows.makeAsyncIterator(), writer: writer, meter: meter)
    }

    struct Iterator: AsyncIteratorProtocol {
        var rows: CopyOut.AsyncIterator
        let writer: SegmentWriter
        let meter: TransferMeter
        /// The header is a row of the stream, but not of the table.
        var headerRows = 1
        var isFinished = false

        mutating func next() async throws -> [UInt8]? {
            while !isFinished {
                let output: [UInt8]
                if let chunk = try await rows.next(isolation: #isolation) {
                    output = try await Self.compress(chunk, with: writer).bytes
                    meter.add(rows: chunk.rows - headerRows, bytes: chunk.bytes.count, fileBytes: output.count)
                    headerRows = 0
                } else {
                    isFinished = true
                    output = try writer.finish().bytes
                    meter.add(fileBytes: output.count)
                }
                if !output.isEmpty { return output }
            }
            return nil
        }

        /// Off the caller's actor, as compressing takes most of a job's CPU time.
        @concurrent
        private static func compress(_ chunk: RowChunk, with writer: SegmentWriter) async throws -> EncodedBytes {
            try writer.append(chunk.bytes, rows: chunk.rows)
        }
    }
}
