/// Places before and after each change of state at which tests end the program.
///
/// They are compiled into debug builds alone (`DATABUDGIE_FAIL_POINTS` in Package.swift), and do something only when the
/// environment variable `DATABUDGIE_FAIL_POINT` names one: see `FailPointOrder`. CONTRIBUTING.md says how to add one.
enum FailPoint: Sendable {
    // MARK: Backup

    /// The id of the set is not claimed yet.
    case setUnclaimed
    /// The mark of the run is in the catalog, and nothing else of it.
    case setClaimed
    /// A file with definitions, or a list of them, is about to be written.
    case definitionUnwritten
    /// It is written.
    case definitionWritten
    /// The values of a table's sequences are about to be written.
    case sequencesUnwritten
    /// They are written, and the table's rows are not.
    case sequencesWritten
    /// Rows have arrived, and the data file is not complete.
    case rowsArrived
    /// A range of a large table is written, and the data file is not complete.
    case rangeWritten
    /// All rows have arrived, and the data file is not published.
    case dataFileUnpublished
    /// The data file is published, and nothing says so.
    case dataFilePublished
    /// All files are written, and the record is not.
    case recordUnwritten
    /// The record is written, and the mark of the run is still there.
    case recordWritten
    /// The mark is gone: the set is complete.
    case markRemoved
    /// An older record does not say yet that a file of its set is about to be replaced.
    case olderSetUnmarked
    /// It does, and the file is still the old one.
    case olderSetMarked

    // MARK: Backup and restore

    /// A table is finished, and the manifest does not say so.
    case manifestRowUnwritten
    /// The manifest does: in a backup for good, in a restore when the transaction is committed.
    case manifestRowWritten

    // MARK: Restore

    /// New tables are about to be created.
    case tablesUncreated
    /// They are created, in a transaction that is open.
    case tablesCreated
    /// The transaction that has created them, empty, is committed.
    case creationCommitted
    /// A group of tables is as it was.
    case groupUntouched
    /// Its tables are locked and emptied, in a transaction that is open.
    case groupEmptied
    /// A table of it is loaded.
    case tableLoaded
    /// All of the group is loaded, and the transaction is still open.
    case groupUncommitted
    /// The transaction is committed.
    case groupCommitted
    /// A file is loaded by several members: the transactions of the workers are committed, and the leader's is not.
    case divisionUncommitted
    /// Sequences are about to be set.
    case sequencesUnset
    /// They are set, for good.
    case sequencesSet
    /// Indexes, keys and the like of new tables are about to be created.
    case definitionsUnfinished
    /// Some of them are created, for good.
    case definitionsFinished
    /// A restore in one transaction is done, and the transaction is still open.
    case wholeUncommitted
    /// It is committed.
    case wholeCommitted
    /// The database that replaces the old one is created, under a name of its own.
    case databaseCreated
    /// The old one is dropped, and no database has its name.
    case databaseDropped
    /// The new one has its name.
    case databaseRenamed

    // MARK: Verification

    /// The result of a verification is about to be stored.
    case resultUnstored
    /// It is stored.
    case resultStored
    /// The database of a drill is about to be created.
    case scratchDatabaseUncreated
    /// It is there, and empty.
    case scratchDatabaseCreated
    /// The drill is over, and the database is still there.
    case scratchDatabaseFilled
    /// It is removed.
    case scratchDatabaseRemoved

    // MARK: Prune and cleanup

    /// A set is about to be removed.
    case removalUnmarked
    /// It is marked as unfinished, and still listed.
    case removalMarked
    /// Its record is gone, and its files are not.
    case recordRemoved
    /// Its files are gone, and its mark is not.
    case filesRemoved
    /// Nothing is left of it.
    case removalFinished
    /// What no set names is about to be removed.
    case orphansUnremoved
    /// Files are removed, and the marks that say whose they were are not.
    case orphanFilesRemoved
    /// The marks are removed too.
    case orphansRemoved
    /// A temporary file or an upload is about to be removed.
    case leftoverUnremoved
    /// It is removed.
    case leftoverRemoved

    /// Ends the program here if the environment says so; in release builds this is nothing.
    ///
    /// - Parameter point: Where the caller is.
    @inline(__always)
    static func reached(_ point: FailPoint) async {
        #if DATABUDGIE_FAIL_POINTS
            await FailPointOrder.current?.obey(at: point)
        #endif
    }
}

#if DATABUDGIE_FAIL_POINTS
    extension FailPoint: CaseIterable {}
#endif
