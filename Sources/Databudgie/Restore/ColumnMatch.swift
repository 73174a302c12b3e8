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
        keeps = header.columns.map { columns[ByteKey($0)]?.isGenerated == false }
        let extra = Self.extra(header.columns, in: columns, of: job)
        findings =
            (extra.problems.isEmpty ? Self.nothingLoaded(header, keeps, of: job) : [])
            + Self.findings(header.columns, in: columns, of: job) + extra
            + Self.missing(header.columns, of: job)
    }

    /// Without names of columns the server would take the values of a file by their position.
    private static func nothingLoaded(_ header: CSVHeader, _ keeps: [Bool], of job: RestoreJob) -> [Finding] {
        guard !keeps.contains(true), job.relation.columns.contains(where: { !$0.isGenerated }) else { return [] }
        guard header.columns.isEmpty else {
            return [.problem("no column of \(job.file.path) can be loaded into the table", of: job.id)]
        }
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
            if columns[ByteKey(name)]?.isGenerated == true {
                findings.append(
                    .note("the values of \"\(name)\" are skipped, because the server generates them", of: job.id)
                )
            }
        }
        return findings
    }

    /// The columns of the file that the table lacks.
    private static func extra(_ names: [String], in columns: [ByteKey: Column], of job: RestoreJob) -> [Finding] {
        let extra = names.filter { columns[ByteKey($0)] == nil }
        guard !extra.isEmpty else { return [] }
        switch job.extraColumns {
        case .error:
            return extra.map { name in
                .problem(
                    "the column \"\(name)\" of \(job.file.path) does not exist in the table",
                    of: job.id,
                    hint: "add it to the table, export without it, or set 'extra_columns: ignore'"
                )
            }
        case .ignore:
            let verb = extra.count == 1 ? "does not exist in the table, and is" : "do not exist in the table, and are"
            return [.warning("\(list(extra)) of \(job.file.path) \(verb) not loaded", of: job.id)]
        }
    }

    /// The columns of the table that the file lacks.
    private static func missing(_ names: [String], of job: RestoreJob) -> [Finding] {
        let known = Set(names.map { ByteKey($0) })
        let missing = job.relation.columns.filter { !$0.isGenerated && !known.contains(ByteKey($0.name)) }
        let (needed, filled) = (missing.filter(\.needsValue), missing.filter { !$0.needsValue }.map(\.name))
        let problems: [Finding] = needed.map { column in
            .problem(
                "\(job.file.path) has no column \"\(column.name)\", which is NOT NULL and has no default",
                of: job.id,
                hint: "give it a default, or export it"
            )
        }
        guard !filled.isEmpty, !names.isEmpty else { return problems }
        return problems + [filling(filled, of: job)]
    }

    /// What becomes of columns that the server fills in; the warning is for a file that lacks them by mistake.
    private static func filling(_ names: [String], of job: RestoreJob) -> Finding {
        let what = "\(list(names)) \(names.count == 1 ? "is" : "are") not in \(job.file.path)"
        let values = names.count == 1 ? "its default, or null" : "their defaults, or null"
        let rows = job.mode == .upsert ? "new rows get" : "the rows get"
        switch job.missingColumns {
        case .error:
            return .problem(what, of: job.id, hint: "export the columns, or set 'missing_columns: default'")
        case .default:
            return .note("\(what): \(rows) \(values)", of: job.id)
        case nil:
            return .warning(
                "\(what): \(rows) \(values)",
                of: job.id,
                hint: "set 'missing_columns: default' if that is meant, or 'missing_columns: error' to refuse it"
            )
        }
    }

    private static func list(_ names: [String]) -> String {
        (names.count == 1 ? "the column " : "the columns ") + names.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}

extension Column {
    /// A row without a value of it is refused.
    fileprivate var needsValue: Bool { isNotNull && !hasDefault && !isGenerated }
}
