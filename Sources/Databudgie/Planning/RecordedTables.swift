import Storage

/// The tables that a manifest has under one transaction id, for one action.
struct RecordedTables: Sendable {
    /// As messages name it: `backup 7 in public.databudgie_manifest`.
    let source: String
    /// Paths of data files by the table, in the order in which they were recorded.
    private var paths: [ByteKey: [String]] = [:]

    init(source: String) {
        self.source = source
    }

    var isEmpty: Bool { paths.isEmpty }

    mutating func add(_ table: String, path: String) {
        paths[ByteKey(table), default: []].append(path)
    }

    /// All data files that are recorded.
    var files: Set<StoragePath> {
        Set(paths.values.joined().compactMap { try? StoragePath($0) })
    }

    /// The data files that are recorded for a table, by its `schema.name`.
    func paths(of table: String) -> [String] {
        paths[ByteKey(table), default: []]
    }

    /// The data file that is recorded for a job of a backup already.
    ///
    /// Rows name tables, so a table with several jobs needs a look at the files' names too.
    /// - Parameters:
    ///   - job: A job of the plan.
    ///   - isOnlyJob: No other job of the plan exports the same table.
    /// - Returns: Its path; nil when the job is still to be done.
    func path(of job: BackupJob, isOnlyJob: Bool) -> String? {
        guard let name = job.tableName else { return nil }
        let recorded = paths(of: name)
        guard !isOnlyJob else { return recorded.last }
        return recorded.last { path in
            // Text that is not a path is not a file of this job.
            (try? job.pattern.time(of: StoragePath(path))) != nil
        }
    }
}
