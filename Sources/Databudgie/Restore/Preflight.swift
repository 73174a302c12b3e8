import Postgres
import Storage

/// Everything that can be known to go wrong in a restore, found before anything is touched.
struct Preflight {
    let connection: Connection
    let catalog: DatabaseCatalog
    let storages: StorageRouter
    /// The caller has a transaction open, which sees tables that nobody else sees yet.
    var isNested = false

    /// What the checks found out for the jobs, by label.
    struct Findings {
        var imports: [TableLabel: LoadFormat] = [:]
        /// Where the sequences are to stand in the end.
        var sequences: [SequenceSetting] = []
        /// What the user should know.
        var warnings: [String] = []
        /// For `--verbose`.
        var notes: [String] = []
    }

    /// Checks all jobs and reports all problems together.
    ///
    /// - Parameter plan: What is about to be loaded.
    /// - Returns: How each file is to be sent.
    /// - Throws: ``DatabudgieError`` with a line for each problem; `PostgresError` or `StorageError` when a check could
    ///   not be made.
    func check(_ plan: RestorePlan) async throws -> Findings {
        // Before the transaction, which should not idle while files are opened.
        let headers = try await readHeaders(plan.jobs)
        let sequences = try await SequenceCheck(catalog: catalog, storages: storages).check(plan.sequences.jobs)
        return try await connection.withTransaction(.readOnly, isNested: isNested) { connection in
            let reader = TargetStateReader(connection: connection)
            var problems: [String] = []
            if try await reader.isStandby() {
                problems.append("The target server is a standby, which takes no data; connect to its primary.")
            }
            let cascaded = plan.groups.flatMap(\.cascaded)
            let targets = try await reader.read(
                plan.jobs.flatMap { carriers(of: $0.relation) } + cascaded.map(\.oid)
            )
            problems += cascaded.filter { targets[$0.oid]?.mayTruncate == false }.map {
                "\($0.name): the role may not truncate, and 'truncate: cascade' would have to; grant it TRUNCATE on the table."
            }
            var findings = Findings()
            for (group, job) in plan.groups.flatMap({ group in group.jobs.map { (group, $0) } }) {
                guard let target = targets[job.relation.oid] else {
                    problems.append("\(job.label): the table was dropped meanwhile.")
                    continue
                }
                let triggers = carriers(of: job.relation).flatMap { targets[$0]?.rowTriggers ?? [] }
                problems += TargetRules.problems(of: job, target, isInCycle: isInCycle(job, group))
                switch headers[job.label] {
                case .success(let header):
                    let match = ColumnMatch(header: header, job: job)
                    problems += match.problems
                    findings.notes += match.notes + triggerNotes(job, triggers)
                    findings.imports[job.label] = LoadFormat(
                        header: header,
                        keeps: match.keeps,
                        countMayDiffer: !triggers.isEmpty || job.relation.kind == .view
                    )
                case .failure(let error):
                    problems += error.messages
                case nil:
                    problems.append("\(job.label): \(job.file.path) was not looked at.")
                }
            }
            problems += try await TruncationReach(catalog: catalog, reader: reader).problems(of: plan)
            problems += sequences.problems
            findings.sequences = sequences.settings
            findings.warnings += plan.sequences.warnings + sequences.warnings
            findings.notes += plan.sequences.notes + sequences.notes
            guard problems.isEmpty else {
                throw DatabudgieError(.preflight, problems + ["Nothing was touched."])
            }
            return findings
        }
    }

    private func readHeaders(_ jobs: [RestoreJob]) async throws -> [TableLabel: Result<CSVHeader, DatabudgieError>] {
        let storages = storages
        let headers = try await jobs.concurrentMap { job -> (TableLabel, Result<CSVHeader, DatabudgieError>) in
            do {
                let header = try await DataFileHeader(storage: storages.storage(for: job.file.path)).read(job.file)
                return (job.label, .success(header))
            } catch let error as DatabudgieError {
                return (job.label, .failure(error))
            }
        }
        return Dictionary(headers, uniquingKeysWith: { first, _ in first })
    }

    /// The tables that rows for this one end up in, as the triggers of partitions run too.
    private func carriers(of relation: Relation) -> [Relation.OID] {
        relation.kind == .partitionedTable ? [relation.oid] + catalog.descendants(of: relation.oid) : [relation.oid]
    }

    private func triggerNotes(_ job: RestoreJob, _ triggers: [String]) -> [String] {
        guard !triggers.isEmpty else { return [] }
        return [
            "\(job.label): the triggers \(triggers.joined(separator: ", ")) run for every row, which takes time and may "
                + "change rows."
        ]
    }

    private func isInCycle(_ job: RestoreJob, _ group: LoadGroup) -> Bool {
        let family = Set(catalog.family(of: job.relation.oid))
        return group.deferredKeys.contains { !$0.isDeferrable && family.contains($0.referencing) }
    }
}
