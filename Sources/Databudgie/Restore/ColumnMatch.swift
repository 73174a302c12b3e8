import Storage

/// How the columns of a data file fit the columns of its table.
struct ColumnMatch {
    /// Why the file cannot be loaded, and which values are skipped.
    let findings: [Finding]
    /// For each column of the file whether it is loaded.
    let keeps: [Bool]

    init(header: CSVHeader, job: RestoreJob) {
        let columns = Dictionary(
            job.relation.columns.map { (ByteKey($0.name), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        findings =
            Self.emptyHeader(header, of: job)
            + Self.findings(header.columns, in: columns, of: job)
            + Self.missing(header.columns, of: job)
        keeps = header.columns.map { columns[ByteKey($0)]?.isGenerated == false }
    }

    /// A file without names for a table with columns: the server would take its values by their position.
    private static func emptyHeader(_ header: CSVHeader, of job: RestoreJob) -> [Finding] {
        guard header.columns.isEmpty, job.relation.columns.contains(where: { !$0.isGenerated }) else { return [] }
        return [
            .problem(
                "the first line of \(job.file.path) is empty, but the table has columns",
                of: job.id,
                hint: "begin the file with the names of its columns"
            )
        ]
    }

    /// What is wrong with the columns of the file, one after another.
    private static func findings(
        _ names: [String],
        in columns: [ByteKey: Column],
        of job: RestoreJob
    ) -> [Finding] {
        var findings: [Finding] = []
        var seen: Set<ByteKey> = []
        for name in names {
            if !seen.insert(ByteKey(name)).inserted {
                findings.append(.problem("\(job.file.path) has two columns named \"\(name)\"", of: job.id))
            }
            guard let column = columns[ByteKey(name)] else {
                findings.append(
                    .problem(
                        "the column \"\(name)\" of \(job.file.path) does not exist in the table",
                        of: job.id,
                        hint: "add it to the table, or export without it"
                    )
                )
                continue
            }
            if column.isGenerated {
                findings.append(
                    .note("the values of \"\(name)\" are skipped, because the server generates them", of: job.id)
                )
            }
        }
        return findings
    }

    /// The columns of the table that need values, and are not in the file.
    private static func missing(_ names: [String], of job: RestoreJob) -> [Finding] {
        let known = Set(names.map { ByteKey($0) })
        return job.relation.columns.filter { column in
            column.isNotNull && !column.hasDefault && !column.isGenerated && !known.contains(ByteKey(column.name))
        }.map { column in
            .problem(
                "\(job.file.path) has no column \"\(column.name)\", which is NOT NULL and has no default",
                of: job.id,
                hint: "give it a default, or export it"
            )
        }
    }
}
