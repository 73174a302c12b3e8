import Postgres
import Storage

/// Exports one job: the values of its sequences, then the result of its query, into one file each.
struct JobExport: Sendable {
    let session: DatabaseSession
    let job: BackupJob
    /// The catalog of the snapshot.
    let catalog: DatabaseCatalog
    /// What ``SequenceReader`` has read for the whole run.
    let states: [Relation.OID: Result<SequenceState, any Error>]
    /// Tables whose definitions are part of the run.
    let defined: Set<QualifiedName>
    let written: WrittenFiles
    /// Which rows are exported; nil: all.
    var subset: SubsetResult?
    /// How long the server waits for locks, in its own words; nil: as long as it must.
    var lockTimeout: String?

    var connection: Connection { session.connection }
    /// The transaction of another connection has taken the run's locks, and it may be lost.
    private var isWorker: Bool { lockTimeout != nil }

    /// Runs the query and publishes its file when all of it has arrived; a failure leaves no file behind.
    ///
    /// The data file is published last: a restore that finds it finds the values of its sequences as well. The query runs
    /// within a savepoint, so its failure leaves the snapshot usable for the other jobs, and its settings and locks end with
    /// it.
    /// - Returns: What was exported.
    /// - Throws: `PostgresError`, `StorageError`, or ``DatabudgieError`` for a sequence that could not be read and for a
    ///   query that cannot be restored.
    func run() async throws -> JobOutcome {
        let start = ContinuousClock.now
        try refuseProblem()
        let sequences = try sequenceValues()
        guard job.includesRows else { return try await publish(sequences, since: start) }
        let values = try await write(sequences)
        do {
            return try await publish(exportBreakingDeadlocks(), values, sequences, since: start)
        } catch {
            await removeSequencesFile()
            throw error
        }
    }

    func refuseProblem() throws {
        guard let problem = job.problem else { return }
        throw DatabudgieError(.configuration, problem.message, hint: problem.hint)
    }

    /// Finds out what would fail before the first row; a whole table needs no request for that.
    ///
    /// - Throws: As ``run()`` does.
    func check() async throws {
        try refuseProblem()
        _ = try sequenceValues()
        guard job.includesRows, case .custom = job.query.source else { return }
        try await connection.withDiscardedSavepoint("table_job", settings: job.sessionSettings) {
            try await connection.restrictViews(false)
            _ = try await describe()
        }
    }

    func outcome(
        _ totals: TransferTotals,
        _ file: FileInfo?,
        _ sequences: [SequenceValue],
        since start: ContinuousClock.Instant
    ) -> JobOutcome {
        JobOutcome(
            job: job.id,
            totals: totals,
            file: session.settings.isDryRun ? nil : file,
            duration: .now - start,
            sequences: sequences,
            includesDefinition: job.relation.map { defined.contains($0.name) } ?? false
        )
    }

    /// The rows of a job, in their file or in memory.
    typealias Export = (
        meter: TransferMeter, columns: [JobColumn], file: ExportedFile, segments: [HashedSegment]
    )

    /// Exports the rows, and tries again when the server ends a deadlock with another session by ending the query.
    ///
    /// - Parameters:
    ///   - limit: A file of no more bytes is left in memory.
    ///   - beforeWriting: Runs before a larger file is written.
    /// - Returns: What was exported.
    /// - Throws: `PostgresError`, `StorageError`; what the closure throws.
    func exportBreakingDeadlocks(
        holding limit: Int = -1,
        beforeWriting: () async throws -> Void = {}
    ) async throws -> Export {
        try await breakingDeadlocks(settings) { try await export(holding: limit, beforeWriting) }
    }

    /// Reads rows, and again when the server ends a deadlock with another session by ending the query.
    ///
    /// - Parameters:
    ///   - settings: What the query needs besides the settings of the snapshot.
    ///   - read: Reads all of the rows, or fails.
    /// - Returns: What the closure returns.
    /// - Throws: What it throws; `PostgresError`.
    func breakingDeadlocks<Rows: Sendable>(
        _ settings: [String: String],
        _ read: () async throws -> Rows
    ) async throws -> Rows {
        var published: Rows?
        do {
            return try await breakingDeadlocks(settings, read) { published = $0 }
        } catch {
            // The file is there, and whole: the job is done, whatever has become of the savepoint.
            guard let published else { throw error }
            return published
        }
    }

    private func breakingDeadlocks<Rows: Sendable>(
        _ settings: [String: String],
        _ read: () async throws -> Rows,
        onPublished: (Rows) -> Void
    ) async throws -> Rows {
        let attempts = LockAttempts()
        return try await attempts.retrying { error, attempt in
            guard LockConflict(of: error) == .deadlock else { return false }
            let message = "the server ended a deadlock with another session: \(ErrorText(error).message)"
            session.recorder.found(
                .warning("\(message); exporting it again (attempt \(attempt) of \(attempts.count))", of: job.id)
            )
            return true
        } _: {
            try await connection.withDiscardedSavepoint("table_job", settings: settings) {
                let result = try await read()
                onPublished(result)
                return result
            }
        }
    }

    /// What the job needs besides the settings of the snapshot, and how the planner looks up rows by their addresses.
    var settings: [String: String] {
        var settings = job.sessionSettings
        if subset != nil { settings.merge(SubsetSearch.plannerSettings) { $1 } }
        settings["lock_timeout"] = lockTimeout
        return settings
    }

    private func export(holding limit: Int, _ beforeWriting: () async throws -> Void) async throws -> Export {
        // Views are read only when they are meant.
        if job.readsViews { try await connection.restrictViews(false) }
        try await connection.setMaskKeys(of: job.query.masks, session.settings.maskKey)
        let meter = TransferMeter { session.recorder.progressed(job.id, $0) }
        var rows: CopyOut?
        do {
            let columns = try await describe()
            if let copy = subsetCopy() {
                let stream = try ExportStream(copy, as: job.format, meter: meter) { try await checkRewrites() }
                let file = try await write(stream, holding: limit, beforeWriting)
                return (meter, columns, file, stream.segments)
            }
            let copy = try await copyOut()
            rows = copy
            let stream = try ExportStream(
                copy,
                as: job.format,
                meter: meter,
                estimatedRows: job.estimatedRows
            ) { try await checkRewrites(copy.answer) }
            let file = try await write(stream, holding: limit, beforeWriting)
            return (meter, columns, file, stream.segments)
        } catch let error as PostgresError {
            let error = mayQuoteMaskedValues ? error.withoutMaskedValues : error
            throw ExportFailure.explained(error, rowsBefore: rows?.receivedRows ?? meter.totals.rows)
        }
    }

    /// Begins to read the rows of a job.
    ///
    /// The query of a table is ours but for its quoted name, so the savepoint, the settings and the question whether its rows
    /// were replaced go with it in one text.
    private func copyOut() async throws -> CopyOut {
        let sql = "copy (\(job.query.sql)\n) to stdout with (format csv, header)"
        guard case .table = job.query else { return try await connection.copyOut(sql) }
        guard let relation = job.relation, needsRewriteCheck(of: relation) else {
            return try await connection.copyOut(ownText: sql)
        }
        return try await connection.copyOut(ownText: sql, asking: RewriteCheck.query(.relations(family(of: relation))))
    }

    private func family(of relation: Relation) -> [Relation.OID] {
        [relation.oid] + catalog.descendants(of: relation.oid)
    }

    /// A table that this transaction has locked before the snapshot cannot have been rewritten.
    private func needsRewriteCheck(of relation: Relation) -> Bool {
        relation.kind != .table || family(of: relation).count > 1 || isWorker
    }

    /// A table has masks, or a query or view may read one that has.
    var mayQuoteMaskedValues: Bool {
        session.settings.masking != nil && (job.query.masks != nil || !job.isWholeTable)
    }

    /// The rows of a subset; nil when all rows of the job are exported.
    private func subsetCopy() -> SubsetCopy? {
        guard let subset, job.isSubsetTable, let relation = job.relation,
            let parts = subset.parts(of: catalog.holders(of: relation))
        else { return nil }
        let types = catalog.keys?.types[relation.oid] ?? [:]
        let names = relation.columns.map { (name: $0.name, expression: String?.none) }
        let values = job.query.masks?.expressions
        return SubsetCopy(
            connection: connection,
            statements: StepSQL(graph: subset.plan.graph),
            columns: (values?.columns ?? names).map { name, expression in
                ExportColumn(name: name, type: types[ByteKey(name)]?.name ?? "text", expression: expression)
            },
            joins: values?.joins ?? "",
            table: StepSQL.from(relation.name, isPartitioned: relation.kind == .partitionedTable),
            parts: parts
        )
    }

    /// Refuses rows that another session has replaced since the snapshot.
    ///
    /// - Parameter answer: What the server has said of the table's rows when they were read; nil: it was not asked.
    /// - Throws: ``DatabudgieError`` that names the relations; `PostgresError`.
    func checkRewrites(_ answer: QueryResult? = nil) async throws {
        let check = RewriteCheck(connection: connection)
        guard let relation = job.relation, job.isWholeTable else { return try await check.run(.locked) }
        guard needsRewriteCheck(of: relation) else { return }
        if let answer {
            try RewriteCheck.requireNone(in: answer)
        } else {
            try await check.run(.relations(family(of: relation)))
        }
        if relation.kind == .partitionedTable { try await check.runForPartitions(of: relation.oid) }
    }

    /// Lets the server parse the query, so a mistake is reported before a file is begun.
    ///
    /// A restore finds columns by their names in the header, in which two equal names would be ambiguous.
    func describe() async throws -> [JobColumn] {
        if let columns = lockedColumns { return columns }
        let columns = try await connection.describe(job.query.sql)
        var names: Set<ByteKey> = []
        for column in columns where !names.insert(ByteKey(column.name)).inserted {
            throw DatabudgieError(
                .configuration,
                "the query returns two columns named \"\(column.name)\"",
                hint: "give one of them another name with AS"
            )
        }
        let described = columns.map { JobColumn($0.name, typeOID: $0.typeOID) }
        // The types of a table's columns are in the catalog.
        guard case .custom = job.query.source, !session.settings.isDryRun else { return described }
        let types = try await ColumnReader(connection: connection).names(ofTypes: columns.map(\.typeOID))
        return zip(described, types).map { column, type in
            var column = column
            column.typeName = type
            return column
        }
    }

    /// The columns of a table that was locked before its catalog was read: they are those of the COPY, without a question.
    private var lockedColumns: [JobColumn]? {
        guard case .table = job.query, let relation = job.relation, relation.isReadable,
            [.table, .partitionedTable].contains(relation.kind)
        else { return nil }
        return relation.columns.map { JobColumn($0.name, typeOID: $0.typeOID) }
    }

    func sequenceValues() throws -> [SequenceValue] {
        try job.sequences.map { sequence in
            guard let state = try states[sequence.oid]?.get() else {
                throw DatabudgieError(.internalInconsistency, "the sequence \(sequence.name) was not read")
            }
            return SequenceValue(name: sequence.name, lastValue: state.lastValue, isCalled: state.isCalled)
        }
    }

    /// Writes the file of values; none when the job has no sequences.
    func write(_ values: [SequenceValue]) async throws -> (info: FileInfo, stored: StoredFile)? {
        guard !values.isEmpty else { return nil }
        let entries = zip(job.sequences, values).map { sequence, value in
            (key: sequence.fileKey, state: SequenceState(lastValue: value.lastValue, isCalled: value.isCalled))
        }
        let bytes = try SequencesFile.bytes(entries)
        await FailPoint.reached(.sequencesUnwritten)
        let path = job.sequencesPath
        let info = try await written.write(path, isUnique: job.isUniquePath, from: SingleChunk(bytes))
        await FailPoint.reached(.sequencesWritten)
        return (info, StoredFile(path, content: bytes))
    }

    /// Removes the file of values after the rest of the job has failed, if possible.
    func removeSequencesFile() async {
        // A file that every run replaces may have been there before.
        guard !job.sequences.isEmpty, job.isUniquePath else { return }
        let (storage, path) = (session.storages.storage(for: job.sequencesPath), job.sequencesPath)
        // A task of its own, because the run may have been cancelled.
        await Task { try? await storage.delete([path]) }.value
    }
}
