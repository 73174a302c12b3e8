import Postgres
import Storage
import Synchronization

/// Takes down the plan of a restore, at the point at which the restore itself would begin to load.
final class RestoreExplanation: Sendable {
    private let recorded: Mutex<RunPlan>
    private let catalog: String

    init(_ settings: RunSettings) {
        catalog = settings.catalog?.description ?? ""
        var plan = RunPlan(.restore, database: settings.database.description)
        plan.manifest = settings.manifest?.name.description
        plan.resumedRun = settings.resumeID
        recorded = Mutex(plan)
    }

    /// What was taken down.
    var plan: RunPlan { recorded.withLock { $0 } }

    /// Takes down the set whose files are read.
    func choose(_ set: RestoreSet?) {
        recorded.withLock { plan in
            plan.set = set.map {
                RunPlan.BackupSet(
                    id: $0.id,
                    catalog: catalog,
                    reason: $0.reason,
                    tables: $0.record.totals.tables
                )
            }
        }
    }

    /// Takes down the loads of a restore, in the place of those of an earlier attempt.
    ///
    /// - Parameters:
    ///   - restore: The loads that are ready to run.
    ///   - entries: Of the restore.
    ///   - definitions: What creates tables.
    func explain(_ restore: CheckedRestore, entries: [RestoreEntry], definitions: DefinitionInstaller?) {
        let (loader, catalog) = (restore.loader, restore.loader.catalog)
        let keys = Dictionary(grouping: catalog.foreignKeys, by: \.referencing)
        let replaced = definitions?.replacedNames ?? []
        recorded.withLock { plan in
            plan.add(restore.plan, in: catalog, entries: entries.map(\.options)) { table, job in
                let format = loader.formats[job.id]
                table.load = RunPlan.Load(
                    group: table.load?.group ?? 0,
                    mode: job.mode,
                    truncate: job.truncate,
                    keyColumns: format?.merge?.key?.members.map(\.name) ?? [],
                    maxRejects: job.maxRejects,
                    existingRows: table.load?.existingRows,
                    isNew: job.isNew,
                    firingTriggers: Self.names(format?.firingTriggers),
                    disabledTriggers: Self.names(format?.disabledTriggers)
                )
            }
            for (number, group) in restore.plan.groups.enumerated() {
                plan.groups[number].locks = loader.preparation(of: group).locks(checking: keys)
            }
            let known = Set(plan.groups.flatMap(\.locks))
            plan.locks = known.sorted { (ByteKey($0.table), $0.mode) < (ByteKey($1.table), $1.mode) }
            plan.definitions = (definitions?.names ?? []).map {
                RunPlan.Definition(table: $0.label, replaces: replaced.contains($0))
            }
            plan.isOneTransaction = restore.session.settings.isAllOrNothing || !replaced.isEmpty
            if !replaced.isEmpty {
                plan.locks =
                    replaced.sorted().map { RunPlan.Lock(table: $0.label, mode: "ACCESS EXCLUSIVE") } + plan.locks
            }
        }
    }

    /// Takes down the loads of a restore into a database that does not exist yet.
    ///
    /// - Parameters:
    ///   - restored: The plan.
    ///   - catalog: The tables that will be there.
    ///   - entries: Of the restore.
    ///   - created: What definitions create.
    func explain(
        _ restored: RestorePlan,
        in catalog: DatabaseCatalog,
        entries: [RestoreEntry],
        created: [QualifiedName]
    ) {
        recorded.withLock { plan in
            plan.add(restored, in: catalog, entries: entries.map(\.options)) { table, job in
                table.load = RunPlan.Load(
                    group: table.load?.group ?? 0,
                    mode: job.mode,
                    truncate: job.truncate,
                    maxRejects: job.maxRejects,
                    existingRows: 0,
                    isNew: true,
                    firingTriggers: [],
                    disabledTriggers: []
                )
            }
            plan.definitions = created.map { RunPlan.Definition(table: $0.label) }
        }
    }

    /// Each once: a partitioned table's trigger is on its partitions too.
    private static func names(_ triggers: [TargetTrigger]?) -> [String] {
        var seen: Set<ByteKey> = []
        return (triggers ?? []).map(\.name).filter { seen.insert(ByteKey($0)).inserted }
    }
}
