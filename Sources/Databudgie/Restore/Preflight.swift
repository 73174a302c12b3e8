import Postgres
import Storage

/// Finds what would go wrong in a restore, before anything is changed.
struct Preflight {
    let session: DatabaseSession
    let catalog: DatabaseCatalog
    /// What was read of the files, before the transaction of a caller that has one open.
    let files: RestoreFiles
    /// What is known of the rows; nil when files are chosen by their names.
    let record: SetRecord?
    /// The caller has a transaction open, which sees tables that no other session sees yet.
    let isNested: Bool

    /// What the checks found out.
    struct Conclusion {
        /// How each file is sent, by job.
        var formats: [JobID: LoadFormat] = [:]
        /// What the sequences are to be set to.
        var sequences: [SequenceSetting] = []
        /// What the user should know.
        var findings: [Finding] = []
    }

    /// Checks all jobs.
    ///
    /// - Parameter plan: What is about to be loaded.
    /// - Returns: How each file is to be sent, and all that was found: a problem names its table unless it stops everything.
    /// - Throws: `PostgresError` when a check could not be done.
    func check(_ plan: RestorePlan) async throws -> Conclusion {
        let sequences = SequenceCheck(catalog: catalog, files: files).check(plan.sequences)
        var result = Conclusion(sequences: sequences.settings)
        let (tables, formats) = try await session.withTransaction(.catalog, isNested: isNested) {
            try await checkTables(plan)
        }
        result.formats = formats
        result.findings = tables + sequences.findings
        return result
    }

    private func checkTables(_ plan: RestorePlan) async throws -> ([Finding], [JobID: LoadFormat]) {
        let reader = TargetStateReader(connection: session.connection)
        var findings: [Finding] = []
        var formats: [JobID: LoadFormat] = [:]
        if try await reader.isStandby() {
            findings.append(Self.standby)
        }
        let cascaded = plan.groups.flatMap(\.cascaded)
        let states = try await reader.read(
            plan.jobs.flatMap { catalog.carriers(of: $0.relation) } + cascaded + plan.groups.flatMap(\.emptyReferrers)
        )
        let targets = try await MergeTargetReader(connection: session.connection).read(
            plan.jobs.filter(\.mode.merges).map(\.relation.oid)
        )
        findings += Self.refusedCascades(cascaded, states)
        for group in plan.groups {
            for job in group.jobs {
                let (found, format) = checkTable(job, in: group, states, targets[job.relation.oid])
                findings += found
                formats[job.id] = format
            }
        }
        findings += try await checkParts(plan, states, &formats)
        let reach = TruncationReach(catalog: catalog, reader: reader, states: states)
        return (findings + (try await reach.problems(of: plan)), formats)
    }

    /// What is said of a target that is a standby.
    static let standby = Finding.problem(
        "the target server is a standby, which accepts no data",
        hint: "connect to its primary"
    )

    private static func refusedCascades(
        _ cascaded: [Relation],
        _ states: [Relation.OID: TargetState]
    ) -> [Finding] {
        cascaded.filter { states[$0.oid]?.canTruncate == false }.map {
            .problem(
                "the role lacks TRUNCATE on the table, which 'truncate: cascade' needs",
                of: $0.name.label,
                hint: "grant it"
            )
        }
    }

    /// Compares one job with its table and its file.
    ///
    /// - Returns: What was found, and how the file is sent; nil when it cannot be.
    private func checkTable(
        _ job: RestoreJob,
        in group: LoadGroup,
        _ states: [Relation.OID: TargetState],
        _ target: MergeTarget?
    ) -> (findings: [Finding], format: LoadFormat?) {
        guard let state = states[job.relation.oid] else {
            return ([.problem("the table was dropped in the meantime", of: job.id)], nil)
        }
        let triggers = TriggerRules(job, catalog.carriers(of: job.relation).compactMap { states[$0.oid] })
        let problems = TargetRules.problems(of: job, state, isInCycle: isInCycle(job, group)) + triggers.findings
        switch files.header(of: job.file) {
        case .success(let checked):
            let header = checked.header.matching(job.relation.columns.map(\.name))
            let match = ColumnMatch(header: header, job: job)
            var format = LoadFormat(
                file: checked.file,
                header: header,
                keeps: match.keeps,
                countMayDiffer: triggers.mayDropRows || job.relation.kind == .view,
                disabledTriggers: triggers.disabled,
                firingTriggers: triggers.firing
            )
            let merging = MergeRules(job, columns: format.columns, target)
            format.merge = merging.merge
            format.canTruncate = state.canTruncate
            format.canFreeze = canFreeze(job, state)
            return (problems + match.findings + merging.findings, format)
        case .failure(let error):
            return (problems + error.problems.map { .problem($0.sentence, of: job.id, hint: $0.hint) }, nil)
        }
    }

    /// The rows of partitions cannot be frozen by way of their root, nor those that come by way of another table or in parts.
    private func canFreeze(_ job: RestoreJob, _ state: TargetState) -> Bool {
        guard job.relation.kind == .table, job.maxRejects == 0, !job.mode.merges else { return false }
        return job.truncate != .keep
            || job.isNew && state.canTruncate && LoadEstimate(catalog: catalog).isLarge(job)
    }

    /// Decides which constraints and indexes are dropped for the loads.
    private func checkParts(
        _ plan: RestorePlan,
        _ states: [Relation.OID: TargetState],
        _ formats: inout [JobID: LoadFormat]
    ) async throws -> [Finding] {
        let choices = plan.groups.map { RebuildChoices($0, formats, LoadEstimate(catalog: catalog)) }
        let rebuilt = zip(plan.groups, choices).flatMap { group, choices in
            group.jobs.filter { choices[$0].isWanted }.flatMap { catalog.carriers(of: $0.relation) }.map(\.oid)
        }
        let tables = plan.jobs.flatMap { catalog.carriers(of: $0.relation) }.map(\.oid)
        guard !tables.isEmpty else { return [] }
        // What is read then says the same whoever reads it later.
        let (constraints, indexes) = try await session.connection.withEmptySearchPath {
            (
                try await TableConstraintReader(connection: session.connection)
                    .read(notValidOf: tables, foreignKeysOf: rebuilt),
                try await TableIndexReader(connection: session.connection).read(of: rebuilt)
            )
        }
        let found = RebuildRules.Found(constraints, indexes)
        let released = Dictionary(
            plan.groups.flatMap(\.jobs).map { job in
                let notValid = found.constraints(of: catalog.carriers(of: job.relation)).filter { !$0.isValidated }
                return (job.id, NotValidRules(job, notValid, record, catalog))
            },
            uniquingKeysWith: { first, _ in first }
        )
        let unchecked = Set(released.values.flatMap(\.released).map(\.oid))
        var findings: [Finding] = []
        for (group, choices) in zip(plan.groups, choices) {
            findings += choices.findings
            let rules = RebuildRules(
                catalog: catalog,
                group: group,
                choices: choices,
                states: states,
                found: found,
                unchecked: unchecked
            )
            for job in group.jobs {
                var rebuilt = rules.conclude(job)
                released[job.id]?.released.forEach { rebuilt.parts.add($0) }
                findings += (released[job.id]?.findings ?? []) + rebuilt.findings
                formats[job.id]?.parts = rebuilt.parts
            }
        }
        return findings
    }

    private func isInCycle(_ job: RestoreJob, _ group: LoadGroup) -> Bool {
        let family = Set(catalog.family(of: job.relation.oid))
        return group.deferredKeys.contains { !$0.isDeferrable && family.contains($0.referencing) }
    }
}
