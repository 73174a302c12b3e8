import Postgres
import Storage

/// Jobs that would write one file, or one table twice.
enum JobCollisions {
    /// Two entries for one table, with different compressions, have one file of sequences: the first entry writes it.
    static func skipRepeatedSequences(_ jobs: inout [BackupJob]) {
        var owners: [StoragePath: Relation.OID] = [:]
        for index in jobs.indices where !jobs[index].sequences.isEmpty {
            guard let oid = jobs[index].relation?.oid else { continue }
            let path = jobs[index].sequencesPath
            if owners[path] == oid { jobs[index].sequences = [] } else { owners[path] = oid }
        }
    }

    /// What no backup may do.
    ///
    /// - Parameter jobs: All jobs of a plan.
    /// - Returns: Problems.
    static func findings(_ jobs: [BackupJob]) -> [Finding] {
        pathCollisions(jobs) + equalExports(jobs)
    }

    /// The same rows of a table would be in two files, and twice in the table when both are restored.
    private static func equalExports(_ jobs: [BackupJob]) -> [Finding] {
        var first: [Relation.OID: [BackupJob]] = [:]
        return jobs.filter(\.includesRows).compactMap { job in
            guard let oid = job.relation?.oid else { return nil }
            guard let other = first[oid]?.first(where: { $0.query == job.query }) else {
                first[oid, default: []].append(job)
                return nil
            }
            return .problem(
                "its rows would be exported twice by the same query: \(other.reason), and \(job.reason)",
                of: job.id,
                hint: "remove one of them, or exclude the table from it; different queries can select different rows"
            )
        }
    }

    private static func pathCollisions(_ jobs: [BackupJob]) -> [Finding] {
        var owners: [StoragePath: BackupJob] = [:]
        return jobs.flatMap { job in job.paths.map { (job, $0) } }.compactMap { job, path in
            owners.updateValue(job, forKey: path).map { other in
                .problem(
                    "two entries would write the same file \(path): \(other.reason), and \(job.reason)",
                    hint: hint(other, job)
                )
            }
        }
    }

    /// Two tables have one path only where it does not name the table, as after `--location DIR` with a glob.
    private static func hint(_ first: BackupJob, _ second: BackupJob) -> String {
        guard let tables = first.relation.flatMap({ one in second.relation.map { (one.oid, $0.oid) } }),
            tables.0 != tables.1, let folder = first.path.parent
        else { return "give one of them another location or filename" }
        return "give each table a folder of its own: write the location as '\(folder.appending("{table}"))'"
    }
}
