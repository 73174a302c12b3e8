import Postgres
import Storage

/// Computes a ``BackupPlan`` from the entries of a configuration.
struct BackupPlanner {
    let catalog: DatabaseCatalog
    let timestamp: RunTimestamp
    /// Warnings about names that match nothing are errors.
    let isStrict: Bool
    /// Definitions of tables are part of the backup (`ddl`).
    var includesDefinitions = false
    /// Which rows of the tables are exported; nil: all.
    var subset: SubsetSettings?

    /// - Throws: ``DatabudgieError`` with all problems found: nothing matches, two jobs would write the same file.
    func plan(_ entries: [BackupEntry]) throws -> BackupPlan {
        let selection = BackupSelection(catalog: catalog, isStrict: isStrict, includesDefinitions: includesDefinitions)
        let included = try selection.included(entries)
        let definitions =
            includesDefinitions
            ? DefinitionPlanner(catalog: catalog).groups((entries + included.map(\.entry)).map(\.options)) : []
        let (named, findings) = try selection.named(entries, needsRows: definitions.isEmpty)
        let selected = named + included.filter { $0.entry.options.includesRows || !$0.sequences.isEmpty }
        let ordered = JobOrder(catalog: catalog).components(of: selected.map(\.relation?.oid)).flatMap { $0 }
            .map { selected[$0] }
        let exported = ordered.filter(\.entry.options.includesRows)
        let inheritance = InheritanceRule(catalog: catalog, jobs: Set(exported.compactMap(\.relation?.oid)))
        let planner = BackupJobPlanner(catalog: catalog, timestamp: timestamp, inheritance: inheritance)
        var jobs = try ordered.enumerated().map { number, item in try planner.job(number: number, item) }
        JobCollisions.skipRepeatedSequences(&jobs)
        try (findings + JobCollisions.findings(jobs)).throwProblems(.configuration)
        let chosen = try subset.map { try SubsetPlanner(catalog: catalog, settings: $0).plan(jobs) }
        return BackupPlan(
            jobs: jobs,
            definitions: definitions,
            findings: findings
                + ordered.flatMap { inheritance.findings($0.relation, isWhole: !$0.entry.hasExplicitQuery) }
                + exported.flatMap(planner.childrenTwice)
                + SelectionFindings(catalog: catalog).doubleExports(exported) + jobs.flatMap(Self.notes)
                + (chosen?.findings ?? []),
            subset: chosen
        )
    }

    private static func notes(_ job: BackupJob) -> [Finding] {
        let reason = Finding.note(job.reason)
        guard !job.sequences.isEmpty else { return [reason] }
        let names = job.sequences.map(\.name.description).joined(separator: ", ")
        return [
            reason, .note("the values of its sequences (\(names)) are written to \(job.sequencesPath)", of: job.id),
        ]
    }
}
