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
        var writers: [StoragePath: [BackupJob]] = [:]
        var paths: [StoragePath] = []
        for job in jobs {
            for path in job.paths {
                writers[path, default: []].append(job)
                if writers[path]?.count == 2 { paths.append(path) }
            }
        }
        return paths.map { path in
            let jobs = writers[path] ?? []
            return .problem(
                "\(jobs.count) jobs would write the same file, \(path): "
                    + jobs.map(\.reason).listed(atMost: 2, separator: "; "),
                hint: hint(jobs)
            )
        }
    }

    /// Two tables have one path only where it does not name the table, as after `--location DIR` with a glob.
    private static func hint(_ jobs: [BackupJob]) -> String {
        guard Set(jobs.map { $0.relation?.oid }).count == jobs.count, let folder = jobs.first?.path.parent
        else { return "give one of them another location or filename" }
        return "give each table a folder of its own: write the location as '\(folder.appending("{table}"))'"
    }
}
