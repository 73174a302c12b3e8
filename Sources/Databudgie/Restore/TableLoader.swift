import Compression
import Postgres
import Storage

/// Streams one data file into one table, within the caller's transaction.
struct TableLoader {
    let connection: Connection
    let storage: any Storage
    let job: RestoreJob
    let format: LoadFormat
    /// The transaction has emptied the table, so the rows are frozen at once, and no VACUUM has to do it.
    var freezes = false
    /// Where rows go that the server refuses, and what the table is called there.
    let rejects: (files: RejectFiles, component: PathComponent)

    /// What was loaded.
    struct Load {
        let totals: TransferTotals
        /// How many rows the server has refused, and the file with them.
        var rejected: RejectedRows?
        /// What became of the rows; nil when they were added as they are.
        var merged: MergedRows?
        /// Such as a warning when triggers have dropped rows.
        var findings: [Finding]
    }

    /// Loads all rows.
    ///
    /// - Parameter onProgress: Receives the totals so far, a few times a second.
    /// - Returns: What was loaded.
    /// - Throws: ``DatabudgieError`` when the file is damaged, when the server refuses a value, with its line, or when it
    ///   took another number of rows than the file has; `PostgresError` or `StorageError` when either was lost. The
    ///   transaction must then be rolled back.
    func run(
        onProgress: @escaping @Sendable (TransferTotals) -> Void
    ) async throws -> Load {
        let meter = TransferMeter(report: onProgress)
        let path = job.file.path
        let file = try await open(job.candidate?.source.part?.data?.segments ?? [], meter)
        let (rows, rejected): (Int, Int)
        do {
            try await staging?.create()
            (rows, rejected) = try await copy(file)
        } catch let error as CompressionError {
            throw wrapped(.dataFile, error)
        } catch let error as PostgresError where error.code == .serverError {
            throw wrapped(.database, error)
        }
        if let part = job.candidate?.source.part, let recorded = part.rows, recorded != file.rows {
            throw DatabudgieError(
                .countMismatch,
                "\(path) has \(counted(file.rows, "row")), but \(recorded) in the set \(part.set): it was replaced or damaged",
                hint: RestoreSet.hint(for: part.set)
            )
        }
        let accepted = file.rows - rejected
        guard rows == accepted || format.countMayDiffer && rows < accepted else {
            throw DatabudgieError(
                .countMismatch,
                "\(job.file.path) has \(counted(accepted, "row")), but the server took \(rows)",
                hint: "restore again; if it fails again, report this as a bug"
            )
        }
        meter.add(rows: rows)
        var load = Load(totals: meter.totals, findings: rows == accepted ? [] : [dropped(accepted, kept: rows)])
        if rejected > 0 { await add(rejected, to: &load) }
        return try await merged(rows, load)
    }

    /// Opens the file, or some of its segments.
    ///
    /// - Parameters:
    ///   - segments: What is recorded of the segments that are read; empty when nothing is.
    ///   - range: Where they are in the file, in bytes; nil: all of it.
    ///   - part: What of the file it is.
    ///   - meter: Counts what passes.
    /// - Returns: The rows.
    /// - Throws: ``DatabudgieError`` when the file is another one than was checked; `StorageError`.
    func open(
        _ segments: [SetRecord.Segment],
        range: Range<Int64>? = nil,
        part: FilePart = .whole,
        _ meter: TransferMeter
    ) async throws -> ImportStream {
        let path = job.file.path
        let bytes = try await storage.read(path, range: range)
        guard bytes.info.version == format.file.version, bytes.info.size == format.file.size else {
            // Its columns may be others, or in another order.
            throw DatabudgieError(
                .dataFile,
                "\(path) was replaced after it was checked",
                hint: "restore again when no backup writes to it"
            )
        }
        return ImportStream(bytes, of: path, header: format.header, meter: meter, segments: segments, part: part)
    }

    /// Sends the file: in one COPY, unless rows of it may be rejected.
    private func copy(_ file: ImportStream) async throws -> (rows: Int, rejected: Int) {
        guard job.maxRejects == 0 else { return try await rejectingCopy.run(file.records(keeping: [])) }
        return (try await connection.copyIn(ownText: statement, from: file.records(keeping: format.keeps)), 0)
    }

    private func add(_ rejected: Int, to load: inout Load) async {
        let path = await rejects.files.path(of: job.id, component: rejects.component)
        load.rejected = RejectedRows(count: rejected, path: path)
        load.findings.append(
            .warning(
                "\(counted(rejected, "row")) of \(job.file.path) \(rejected == 1 ? "was" : "were") rejected",
                of: job.id,
                hint: "see \(path) and, beside it, why"
            )
        )
    }

    /// Merges the rows of a staging table with those of the job's table.
    private func merged(_ rows: Int, _ load: Load) async throws -> Load {
        guard let staging else { return load }
        var load = load
        do {
            let (merged, findings) = try await staging.mergeRows(rows, of: job)
            load.merged = merged
            load.findings += findings
        } catch let error as PostgresError where error.code == .serverError {
            throw wrapped(.database, error)
        }
        return load
    }

    /// Where the rows are before they are merged.
    private var staging: StagingTable? { format.merge.map { StagingTable(connection, of: job.id, $0) } }

    private var rejectingCopy: RejectingCopy {
        RejectingCopy(
            connection: connection,
            statement: copy("format csv"),
            job: job,
            format: format,
            component: rejects.component,
            files: rejects.files
        )
    }

    private func dropped(_ rows: Int, kept: Int) -> Finding {
        .warning(
            "\(job.file.path) has \(counted(rows, "row")), and the server kept \(kept): triggers have dropped the others",
            of: job.id,
            hint: "set 'triggers: off' to restore all of them"
        )
    }

    private func wrapped(_ code: DatabudgieError.Code, _ error: any Error) -> DatabudgieError {
        let text = ErrorText(staging?.named(in: error) ?? error)
        let hint = text.hint ?? advice(after: error)
        return DatabudgieError(code, "\(job.file.path): \(text.message)", hint: hint, underlying: error)
    }

    /// What to do when a key of the file is there already.
    private func advice(after error: any Error) -> String? {
        guard (error as? PostgresError)?.sqlState == "23505", job.mode == .append, !job.isNew else { return nil }
        return "set 'mode: upsert' or 'mode: skip_existing' if rows of the file may be in the table"
    }

    /// What it runs, where that is one COPY and nothing else.
    var ownStatement: String? { job.maxRejects == 0 && format.merge == nil ? statement : nil }

    /// The header is sent too, so the line numbers of the server's messages are the file's.
    private var statement: String { copy("format csv, header" + (freezes ? ", freeze" : "")) }

    func copy(_ options: String) -> String {
        let columns = format.columns.map(quotedIdentifier).joined(separator: ", ")
        let list = columns.isEmpty ? "" : " (\(columns))"
        let table = staging?.name ?? job.relation.name.quoted
        return "copy \(table)\(list) from stdin with (\(options))"
    }
}
