import Postgres
import Storage

/// Makes jobs of what a backup's entries stand for: which query, to which files.
struct BackupJobPlanner {
    let catalog: DatabaseCatalog
    let timestamp: RunTimestamp
    /// Whether the rows of children are exported with their parents.
    let inheritance: InheritanceRule

    /// A job, or an error that names the entry whose location is not a path.
    ///
    /// - Parameters:
    ///   - number: The job's place in the plan.
    ///   - item: What is exported.
    /// - Returns: The job.
    /// - Throws: ``DatabudgieError``.
    func job(number: Int, _ item: SelectedEntry) throws -> BackupJob {
        do {
            return try locatedJob(number: number, item)
        } catch let error as StorageError {
            throw DatabudgieError(
                .configuration,
                "\(item.entry.options.place): \(error.message)",
                hint: error.hint,
                underlying: error
            )
        }
    }

    private func locatedJob(number: Int, _ item: SelectedEntry) throws -> BackupJob {
        let entry = item.entry
        let name = item.relation?.name.label ?? entry.options.name
        let component =
            item.relation.map { catalog.component(of: $0.name) } ?? entry.options.name.map { PathComponent(label: $0) }
        let layout = FileLayout(entry.options)
        let format = DataFileFormat(compression: entry.compression, level: entry.compressionLevel)
        let subject: JobID.Subject = !entry.options.includesRows ? .sequences : item.relation == nil ? .query : .rows
        let (query, problem) = query(item)
        return BackupJob(
            id: JobID(
                subject,
                of: try name ?? layout.folder(of: nil, as: format, at: timestamp).description,
                number: number
            ),
            relation: item.relation,
            tableName: name,
            includesRows: entry.options.includesRows,
            query: query,
            problem: problem,
            path: try layout.path(.data(format), of: component, at: timestamp),
            sequences: item.sequences,
            sequencesPath: try layout.path(.sequences, of: component, at: timestamp),
            pattern: try layout.pattern(.anyData, of: component),
            format: format,
            skipsIfExists: entry.skipsIfExists,
            appliesRowSecurity: entry.appliesRowSecurity,
            isStrict: entry.options.isStrict,
            isUniquePath: entry.options.location.variables.union(entry.options.filename.variables)
                .contains(.timestamp),
            estimatedRows: entry.hasExplicitQuery || !entry.options.includesRows ? nil : item.relation?.estimatedRows,
            selection: item.selection,
            place: entry.options.place,
            reason: item.reason
        )
    }

    private func query(_ item: SelectedEntry) -> (ExportQuery, problem: Finding?) {
        if let relation = item.relation, !item.entry.hasExplicitQuery {
            return (.table(relation.name, isOnly: inheritance.isOnly(relation)), nil)
        }
        let query = TableQuery(item.entry.query, table: item.relation?.name, at: timestamp)
        let problem = Finding.problem(
            "the query has {table} between quotes or in a comment, where the table's name would end them "
                + "(\(item.entry.options.place))",
            hint: "use {table} as a table only, or give the table a query of its own"
        )
        return (.custom(query.sql), query.isChangedByName ? problem : nil)
    }

    /// A query of the user's reads children as well, which the server does unless it says ONLY.
    func childrenTwice(_ item: SelectedEntry) -> [Finding] {
        guard let relation = item.relation, item.entry.hasExplicitQuery,
            TableQuery(item.entry.query, table: relation.name, at: timestamp).readsChildren
        else { return [] }
        return inheritance.childrenTwice(relation, item.entry.options.place)
    }
}
