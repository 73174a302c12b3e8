import Postgres
import Storage

extension BackupAttempt {
    /// Computes the plan in the snapshot of a backup, with the same locks, and says what would fail.
    ///
    /// - Parameter searchingRows: The rows of a subset are searched.
    /// - Returns: What ``run()`` would do, and why.
    /// - Throws: What ends the run.
    func plan(searchingRows: Bool) async throws -> RunPlan {
        try await ExportSnapshot(session: session).withPlan({ try makePlan($0, settings.timestamp) }) { plan, catalog in
            let locks = try await locks(catalog)
            let (attempt, plan) = try await prepared(plan, catalog, masksRows: false, searchesRows: searchingRows)
            let recordedRun = try await recorder.holding(plan.findings) { try await manifest?.begin() }
            let resumption = BackupResumption(plan: plan, recorded: recordedRun?.recorded)
            attempt.announce(plan, catalog, resumption, recordedRun)
            resumption.done.forEach { recorder.ended(.skipped($0)) }
            var result = RunPlan(.backup, database: settings.database.description)
            result.manifest = settings.manifest?.name.description
            result.resumedRun = settings.resumeID
            result.locks = locks
            let relations = resumption.pending.compactMap(\.relation)
            try result.add(
                plan,
                pending: try await withoutExisting(resumption.pending),
                in: catalog,
                sizes: try await TableSizeReader(connection: session.connection).read(
                    relations + relations.flatMap { catalog.descendants(of: $0.oid).compactMap { catalog[$0] } }
                ),
                at: settings.timestamp
            )
            let masks = attempt.masks.counts(of: plan.jobs)
            for index in result.tables.indices { result.tables[index].masks = masks[result.tables[index].job] }
            if let subset = attempt.subset { try await add(subset, of: plan, to: &result, catalog) }
            result.excluded = Exclusions(catalog: catalog, selected: Set(plan.jobs.compactMap(\.relation?.oid)))
                .find(configuration.tables.map(\.options))
            if let folder = settings.catalog {
                result.set = RunPlan.BackupSet(id: settings.timestamp.timestamp, catalog: folder.description)
            } else {
                recorder.found(SetRecording.unrecorded)
            }
            try await reportFailures(of: resumption.pending, catalog)
            try await DefinitionLocks(connection: session.connection, catalog: catalog)
                .problems(of: plan.definitions).forEach(recorder.found)
            return result
        }
    }

    /// Adds how many rows of each table are part of the subset, and what brought them.
    private func add(
        _ subset: SubsetResult,
        of plan: BackupPlan,
        to result: inout RunPlan,
        _ catalog: DatabaseCatalog
    ) async throws {
        result.columnsWithoutIndex = subset.plan.columnsWithoutIndex
        let jobs = Dictionary(plan.jobs.map { ($0.id, $0) }) { first, _ in first }
        for index in result.tables.indices {
            guard let job = jobs[result.tables[index].job], job.isSubsetTable, let relation = job.relation else {
                continue
            }
            let (chosen, kept) = subset.counts(of: catalog.holders(of: relation))
            var total = result.tables[index].rows
            if total == nil, let bytes = result.tables[index].bytes, bytes <= Self.quicklyCounted,
                let node = subset.plan.graph.nodes.firstIndex(where: { $0.relation == relation.oid })
            {
                let statement = StepSQL(graph: subset.plan.graph).count(node)
                total = try await session.connection.query(statement.text).rows.first?["count"].flatMap { Int($0) }
            }
            result.tables[index].subset = RunPlan.SubsetRows(
                chosen: chosen,
                linked: kept.map { $0 - chosen },
                total: total,
                sources: subset.sources(of: relation.oid)
            )
            // The size of the whole table says nothing of some rows.
            if let kept { (result.tables[index].rows, result.tables[index].bytes) = (kept, nil) }
        }
    }

    /// The size up to which a table that was never analyzed is counted, in bytes.
    private static let quicklyCounted: Int64 = 64 << 20

    /// Finds out why rows are part of the subset, in the snapshot of a backup.
    ///
    /// - Parameter row: The rows, `public.orders:201`.
    /// - Returns: The answer.
    /// - Throws: What ends the run.
    func why(_ row: String) async throws -> RowReasons {
        try await ExportSnapshot(session: session).withPlan({ try makePlan($0, settings.timestamp) }) { plan, catalog in
            guard let subset = plan.subset else {
                throw DatabudgieError(.internalInconsistency, "a plan has no subset")
            }
            return try await recorder.holding(plan.findings) {
                try await search(subset, of: plan).why(row, catalog)
            }
        }
    }

    /// The jobs that find no file of theirs, when they are to be skipped otherwise.
    private func withoutExisting(_ jobs: [BackupJob]) async throws -> [BackupJob] {
        let existing = try await FileListing(jobs.filter(\.skipsIfExists).map(\.pattern), in: session.storages)
        return jobs.filter { job in
            guard let skipped = existing.kept(job)?.job else { return true }
            recorder.ended(.skipped(skipped))
            return false
        }
    }

    /// The server's own list is exact: it has the tables that queries and views read, and partitions.
    private func locks(_ catalog: DatabaseCatalog) async throws -> [RunPlan.Lock] {
        let rows = try await session.connection.query(Self.locksQuery).rows
        let locks = rows.compactMap { row -> (relation: Relation, mode: String)? in
            guard let relation = row["oid"].flatMap(Relation.OID.init).flatMap({ catalog[$0] }), let mode = row["mode"]
            else { return nil }
            return (relation, mode)
        }
        return locks.sorted { $0.relation.name < $1.relation.name }.map {
            RunPlan.Lock(table: $0.relation.name.label, mode: $0.mode)
        }
    }

    private func reportFailures(of jobs: [BackupJob], _ catalog: DatabaseCatalog) async throws {
        let states = try await SequenceReader(connection: session.connection).read(jobs.flatMap(\.sequences))
        let problems = try await ReadPrivileges(connection: session.connection).problems(of: jobs)
        for job in jobs {
            let export = JobExport(
                session: session,
                job: job,
                catalog: catalog,
                states: states,
                defined: [],
                written: WrittenFiles(storages: session.storages)
            )
            do {
                try await export.check()
                if let problem = problems[job.id] { throw problem }
            } catch {
                try rethrowUnlessJobFailed(error)
                recorder.ended(.failed(JobFailure(job.id, error)))
            }
        }
    }

    /// The mode as SQL writes it.
    private static let locksQuery = """
        select distinct relation as oid, pg_catalog.upper(pg_catalog.regexp_replace(
            pg_catalog.regexp_replace(mode, 'Lock$', ''), '(?<=[a-z])(?=[A-Z])', ' ', 'g')) as mode
        from pg_catalog.pg_locks
        where locktype operator(pg_catalog.=) 'relation' and granted
            and pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
        """
}
