import Postgres
import Storage

extension RunPlan {
    /// Takes over the loads of a restore.
    ///
    /// - Parameters:
    ///   - plan: The plan, without what has failed.
    ///   - catalog: The tables of the target.
    ///   - entries: Of the restore.
    ///   - complete: Adds what is known of the target.
    mutating func add(
        _ plan: RestorePlan,
        in catalog: DatabaseCatalog,
        entries: [TableOptions],
        completing complete: (inout Table, RestoreJob) -> Void
    ) {
        let sequences = Dictionary(plan.sequences.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        tables = plan.groups.enumerated().flatMap { number, group in
            group.jobs.map { job in
                var table = Table(
                    job,
                    sequences[JobID(.sequences, of: job.id.name, number: job.id.number)],
                    in: catalog
                )
                table.load = Load(
                    group: number,
                    mode: job.mode,
                    truncate: job.truncate,
                    maxRejects: job.maxRejects,
                    existingRows: job.isNew ? 0 : TableEstimate(catalog: catalog, sizes: [:]).rows(of: job.relation),
                    isNew: job.isNew,
                    firingTriggers: [],
                    disabledTriggers: []
                )
                complete(&table, job)
                return table
            }
        }
        tables += plan.sequences.filter { $0.rows != .loaded }.map { Table($0, in: catalog) }
        let positions = Dictionary(
            plan.groups.enumerated().map { ($0.element.number, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
        let reach = TruncationKeys(catalog: catalog)
        groups = plan.groups.enumerated().map { number, group in
            Group(
                number: number,
                tables: group.jobs.map(\.id),
                bonds: group.bonds,
                truncated: group.truncated.map(\.name.label),
                cascaded: group.cascaded.map(\.name.label),
                emptyReferrers: group.emptyReferrers.map(\.name.label),
                reach: reach.keys(of: group),
                deferredKeys: group.deferredKeys.compactMap { KeyReference($0, in: catalog) },
                // One that has been loaded before has no number.
                references: group.references.compactMap { positions[$0] }.sorted()
            )
        }
        addKeys(among: plan.jobs.map { ($0.id, $0.relation) }, catalog)
        let selected = Set(plan.jobs.map(\.relation.oid))
        excluded = Exclusions(catalog: catalog, selected: selected).find(entries)
    }
}

extension RunPlan.Table {
    /// The load of a table's rows.
    fileprivate init(_ job: RestoreJob, _ sequences: SequenceJob?, in catalog: DatabaseCatalog) {
        let part = job.candidate?.source.part
        self.init(
            job: job.id,
            reason: job.candidate?.selection ?? .exactName(job.id.name),
            place: job.candidate?.entry.options.place ?? "",
            query: part?.query,
            rows: part?.rows,
            bytes: job.file.size,
            file: job.file.path.description,
            sequences: sequences == nil ? [] : catalog.sequences(of: job.relation).map(\.name.label),
            sequencesFile: sequences?.file.path.description
        )
        name(job.relation)
        storedName = job.storedName
    }

    /// The sequences of a table whose rows are not loaded.
    fileprivate init(_ job: SequenceJob, in catalog: DatabaseCatalog) {
        self.init(
            job: job.id,
            reason: job.selection,
            place: job.place,
            bytes: job.file.size,
            file: job.file.path.description,
            sequences: catalog.sequences(of: job.relation).map(\.name.label),
            sequencesFile: job.file.path.description
        )
        name(job.relation)
    }
}
