import Storage

/// How a data file is sent to the server.
struct LoadFormat: Sendable {
    /// The version of the file whose header was checked.
    let file: FileInfo
    let header: CSVHeader
    /// For each column of the file whether it is loaded.
    let keeps: [Bool]
    /// Triggers may drop rows, so the server may take fewer than the file has.
    let countMayDiffer: Bool
    /// Triggers that are off while the rows are loaded.
    let disabledTriggers: [TargetTrigger]
    /// How the rows are merged with those of the table; nil when they are added as they are.
    var merge: RowMerge?
    /// Triggers that fire for the rows, or when the table is emptied.
    var firingTriggers: [TargetTrigger] = []

    /// Constraints and indexes that are dropped while the rows are loaded.
    var parts = RebuiltParts()
    /// The role may empty the table.
    var canTruncate = false
    /// The rows can be frozen when the transaction of the load has emptied the table.
    var canFreeze = false

    /// The names of the loaded columns, in the order of the file.
    var columns: [String] { zip(header.columns, keeps).filter(\.1).map(\.0) }
}
