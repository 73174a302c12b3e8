import Postgres
import Storage

/// One query to export into one data file.
struct BackupJob: Sendable {
    let id: JobID
    /// The table the entry named; nil for an unnamed query and for a name that is only a label.
    let relation: Relation?
    /// The name that the manifest records; nil for an unnamed query, which is never recorded.
    let tableName: String?
    /// The rows are exported; false when only the values of sequences are.
    let includesRows: Bool
    var query: ExportQuery
    /// Why the query must not run; nil when it can.
    var problem: Finding?
    let path: StoragePath
    /// Whose values are exported; empty when there are none, or none are wanted.
    var sequences: [TableSequence]
    let sequencesPath: StoragePath
    /// The data files of this job, whichever run wrote them, for `skip_if_exists`.
    let pattern: FilePattern
    let format: DataFileFormat
    let skipsIfExists: Bool
    /// Policies filter the rows; otherwise a policy that would is an error.
    let appliesRowSecurity: Bool
    let isStrict: Bool
    /// The path holds the run's timestamp, so a file of that name can only come from another run.
    let isUniquePath: Bool
    /// Rows that the statistics expect; nil when they say nothing about the query.
    let estimatedRows: Int?
    /// Why the job is there.
    let selection: SelectionReason
    /// Where the entry is: `databudgie.yml:4`.
    let place: String
    /// The reason and the place as a sentence: `the table public.product is matched by 'public.*' (databudgie.yml:4)`.
    let reason: String
}

extension BackupJob {
    /// All files that the job writes, the first to be published last.
    var paths: [StoragePath] {
        (includesRows ? [path] : []) + (sequences.isEmpty ? [] : [sequencesPath])
    }

    /// The user has written the query, or named a view.
    var readsViews: Bool {
        switch query.source {
        case .table: relation?.kind == .view
        case .custom, .masked: true
        }
    }

    /// The rows are those of the relation itself, and not what a query or a view makes of others.
    var isWholeTable: Bool {
        switch query.source {
        case .table: relation.map { $0.kind != .view } ?? false
        case .custom, .masked: false
        }
    }

    /// Nothing of the user's runs when the rows are read, so their text can be pinned.
    ///
    /// A foreign table's values may be made from text on the way, and a policy may ask for the day.
    var hasPlainText: Bool {
        isWholeTable && relation?.kind != .foreignTable && !appliesRowSecurity && query.masks?.hasUserText != true
    }

    /// The file that messages name.
    var mainPath: StoragePath { includesRows ? path : sequencesPath }
}
