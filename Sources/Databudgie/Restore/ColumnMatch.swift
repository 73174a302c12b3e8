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
        var findings: [Finding] = []
        var seen: Set<ByteKey> = []
        for name in header.columns {
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
        for column in job.relation.columns where !seen.contains(ByteKey(column.name)) {
            if column.isNotNull, !column.hasDefault, !column.isGenerated {
                findings.append(
                    .problem(
                        "\(job.file.path) has no column \"\(column.name)\", which is NOT NULL and has no default",
                        of: job.id,
                        hint: "give it a default, or export it"
                    )
                )
            }
        }
        self.findings = findings
        keeps = header.columns.map { columns[ByteKey($0)]?.isGenerated == false }
    }
}
