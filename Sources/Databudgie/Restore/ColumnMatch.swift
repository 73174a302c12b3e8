import Storage

/// How the columns of a data file fit the columns of its table.
struct ColumnMatch {
    /// Why the file cannot be loaded.
    let problems: [String]
    /// What is left out, and why that is right.
    let notes: [String]
    /// For each column of the file whether it is loaded.
    let keeps: [Bool]

    init(header: CSVHeader, job: RestoreJob) {
        // Names are compared by bytes, as the server does.
        let columns = Dictionary(
            job.relation.columns.map { (Array($0.name.utf8), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var problems: [String] = []
        var notes: [String] = []
        var seen: Set<[UInt8]> = []
        for name in header.columns {
            if !seen.insert(Array(name.utf8)).inserted {
                problems.append("\(job.label): \(job.file.path) has two columns named \"\(name)\".")
            }
            guard let column = columns[Array(name.utf8)] else {
                problems.append(
                    "\(job.label): the column \"\(name)\" of \(job.file.path) does not exist in the table; add it to "
                        + "the table, or export without it."
                )
                continue
            }
            if column.isGenerated {
                notes.append("\(job.label): the values of \"\(name)\" are left out, as the server generates them.")
            }
        }
        for column in job.relation.columns where !seen.contains(Array(column.name.utf8)) {
            if column.isNotNull, !column.hasDefault, !column.isGenerated {
                problems.append(
                    "\(job.label): \(job.file.path) has no column \"\(column.name)\", which is NOT NULL and has no "
                        + "default; give it one, or export it."
                )
            }
        }
        self.problems = problems
        self.notes = notes
        keeps = header.columns.map { columns[Array($0.utf8)]?.isGenerated == false }
    }
}
