import Postgres
import Storage

/// Everything that can be known to go wrong in a restore, found before anything is touched.
struct Preflight {
    let connection: Connection
    let catalog: Catalog
    let storages: Storages

    /// What the checks found out for the jobs, by label.
    struct Findings {
        var imports: [TableLabel: ImportFormat] = [:]
        /// For `--verbose`.
        var notes: [String] = []
    }

    /// Checks all jobs and reports all problems together.
    ///
    /// - Throws: ``DatabudgieError`` with a line for each problem; `PostgresError` or `StorageError` when a check could
    ///   not be made.
    func check(_ plan: RestorePlan) async throws -> Findings {
        let reader = TargetReader(connection: connection)
        var findings = Findings()
        var problems: [String] = []
        if try await reader.isStandby() {
            problems.append("The target server is a standby, which takes no data; connect to its primary.")
        }
        let targets = try await reader.read(plan.jobs.map(\.relation.oid))
        for group in plan.groups {
            for job in group.jobs {
                guard let target = targets[job.relation.oid] else {
                    problems.append("\(job.label): the table was dropped meanwhile.")
                    continue
                }
                problems += TargetRules.problems(of: job, target, isInCycle: isInCycle(job, group))
                if !target.rowTriggers.isEmpty {
                    findings.notes.append(
                        "\(job.label): the triggers \(target.rowTriggers.joined(separator: ", ")) run for every row, "
                            + "which takes time and may change rows."
                    )
                }
                do {
                    let header = try await DataFileHeader(storage: storages.storage(for: job.file.path)).read(job.file)
                    let columns = ColumnMatch(header: header, job: job)
                    problems += columns.problems
                    findings.notes += columns.notes
                    findings.imports[job.label] = ImportFormat(
                        header: header,
                        keeps: columns.keeps,
                        countMayDiffer: !target.rowTriggers.isEmpty || job.relation.kind == .view
                    )
                } catch let error as DatabudgieError where error.code == .dataFile {
                    problems += error.messages
                }
            }
        }
        problems += try await truncationReach(plan, reader)
        guard problems.isEmpty else {
            throw DatabudgieError(.preflight, problems + ["Nothing was touched."])
        }
        return findings
    }

    private func isInCycle(_ job: RestoreJob, _ group: RestoreGroup) -> Bool {
        let family = Set(catalog.family(of: job.relation.oid))
        return group.deferredKeys.contains { !$0.isDeferrable && family.contains($0.referencing) }
    }

    /// TRUNCATE without CASCADE is refused by the server when an unlisted table refers to a listed one; and children by
    /// inheritance would be emptied with their parent, so that `ONLY` is used and their rows stay.
    private func truncationReach(_ plan: RestorePlan, _ reader: TargetReader) async throws -> [String] {
        let truncated = plan.jobs.filter { $0.truncate != .keep }
        let reach = Set(
            truncated.flatMap { job in
                job.relation.kind == .partitionedTable
                    ? [job.relation.oid] + catalog.descendants(of: job.relation.oid) : [job.relation.oid]
            }
        )
        var problems: [String] = []
        for key in catalog.foreignKeys where reach.contains(key.referenced) && !reach.contains(key.referencing) {
            guard !key.isInherited, let referenced = catalog[key.referenced], let referencing = catalog[key.referencing]
            else { continue }
            problems.append(
                "\(referenced.name) cannot be truncated, as \(referencing.name) refers to it (constraint \(key.name)) "
                    + "and is not truncated in this restore; list \(referencing.name) with truncate too, or leave "
                    + "truncate out for \(referenced.name)."
            )
        }
        let listed = Set(plan.jobs.map(\.relation.oid))
        for job in truncated where job.relation.kind == .table {
            for child in catalog.descendants(of: job.relation.oid).compactMap({ catalog[$0] })
            where !listed.contains(child.oid) {
                guard try await reader.hasRows(child) else { continue }
                problems.append(
                    "\(job.label) cannot be truncated alone, as its child \(child.name) has rows that would stay; "
                        + "list \(child.name) too, or empty it."
                )
            }
        }
        return problems
    }
}

/// What is wrong with a table as the target of a load.
enum TargetRules {
    static func problems(of job: RestoreJob, _ target: Target, isInCycle: Bool) -> [String] {
        var problems: [String] = []
        if job.relation.kind == .materializedView {
            problems.append("\(job.label) is a materialized view, which cannot be loaded; refresh it instead.")
        }
        if !target.mayInsert {
            problems.append("\(job.label): the role may not insert rows; grant it INSERT on the table.")
        }
        if job.truncate != .keep, !target.mayTruncate {
            problems.append("\(job.label): the role may not truncate; grant it TRUNCATE on the table.")
        }
        if target.hasRowSecurity {
            problems.append(
                "\(job.label): row-level security applies to the role, and COPY refuses that; connect as the table's "
                    + "owner or as a role with BYPASSRLS."
            )
        }
        if isInCycle, !target.isOwned {
            problems.append(
                "\(job.label) is part of a cycle of foreign keys, which are made deferrable for the load; connect as "
                    + "the table's owner, or make its constraints DEFERRABLE."
            )
        }
        return problems
    }
}
