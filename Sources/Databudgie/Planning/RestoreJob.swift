import Storage

/// One data file to load into one table.
struct RestoreJob: Sendable {
    let id: JobID
    let relation: Relation
    let file: FileInfo
    let truncate: TruncateMode
    /// What happens to the rows that are there.
    var mode = LoadMode.append
    /// The key by which rows are recognized; empty: the primary key, or any unique key.
    var conflictColumns: [String] = []
    var extraColumns = ExtraColumns.error
    var missingColumns: MissingColumns?
    var triggers = TriggerMode.automatic
    var indexes = RebuildMode.automatic
    var foreignKeys = RebuildMode.automatic
    let isStrict: Bool
    /// How many rows of the file the server may refuse.
    var maxRejects = 0
    /// The entry that the job is for.
    var candidate: RestoreCandidate?
    /// The run has created the table, so it has no other rows.
    var isNew = false

    /// The table's name in the backup, if that is another one.
    var storedName: String? { candidate.flatMap { $0.isRenamed ? $0.storedName.label : nil } }

    /// After the load the table has the rows of the run and no others.
    var isEmptied: Bool { truncate != .keep || isNew }
}

extension RestoreJob {
    /// The load of a file that was found for a table.
    init(_ id: JobID, _ candidate: RestoreCandidate, file: FileInfo, isNew: Bool) {
        self.init(
            id: id,
            relation: candidate.relation,
            file: file,
            truncate: candidate.entry.truncate,
            // A new table has no rows, and no keys before its rows are there.
            mode: isNew ? .append : candidate.entry.mode,
            conflictColumns: candidate.entry.conflictColumns,
            extraColumns: candidate.entry.extraColumns,
            missingColumns: candidate.entry.missingColumns,
            triggers: candidate.entry.triggers,
            indexes: candidate.entry.indexes,
            foreignKeys: candidate.entry.foreignKeys,
            isStrict: candidate.entry.options.isStrict,
            maxRejects: candidate.entry.maxRejects,
            candidate: candidate,
            isNew: isNew
        )
    }
}
