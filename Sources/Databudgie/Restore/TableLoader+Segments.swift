import Compression
import Postgres
import Storage

extension TableLoader {
    /// Loads some of the file's segments, in one COPY.
    ///
    /// - Parameters:
    ///   - run: The segments.
    ///   - meter: Counts what passes; the rows when the server has taken them.
    /// - Throws: ``DatabudgieError`` when the file is another one than was checked, when its bytes are damaged, or when the rows
    ///   are not as many as are recorded; `CompressionError`, `PostgresError`, `StorageError`. The transaction must then be
    ///   rolled back.
    func load(_ run: DividedLoad.Run, _ meter: TransferMeter) async throws {
        let file = try await open(run.segments, range: run.range, part: run.isFirst ? .first : .later, meter)
        let options = run.isFirst ? "format csv, header" : "format csv"
        let rows = try await connection.copyIn(ownText: copy(options), from: file.records(keeping: format.keeps))
        guard rows == run.rows, rows == file.rows else {
            throw DatabudgieError(
                .countMismatch,
                "\(job.file.path): of \(counted(run.rows, "row")) from byte \(run.range.lowerBound) on, the server took \(rows)"
            )
        }
        meter.add(rows: rows)
    }
}
