import Postgres
import Storage
import Synchronization

/// The jobs of a run with all that their export needs, whichever member exports them.
struct RunJobs: Sendable {
    /// The catalog of the snapshot.
    let catalog: DatabaseCatalog
    let recordedRun: ManifestRun?
    /// What ``SequenceReader`` has read for the whole run.
    let states: [Relation.OID: Result<SequenceState, any Error>]
    /// The files that jobs have already.
    let existing: FileListing
    /// What writes the definitions, unless that is done.
    let definitions: DefinitionWork
    /// Tables whose definitions are part of the run.
    let defined: Set<QualifiedName>
    let written: WrittenFiles
    let subset: SubsetResult?
    /// Another run may take the paths of this one.
    let givesWay: Bool
    /// The server may cancel what runs on a standby, and the run then begins again.
    let givesUpOnConflict: Bool
    let list: JobList
    let age: SnapshotAgeWatch
    /// Small files are published while the next tables are read.
    ///
    /// Only in runs of many tables: in others it saves little, and they report one table after the other.
    let publishesMeanwhile: Bool
    let commitment = Commitment()
}

/// The age of a run's snapshot, which all of its members look at.
final class SnapshotAgeWatch: Sendable {
    private let age: Mutex<SnapshotAge>

    init(limit: Duration) {
        age = Mutex(SnapshotAge(limit: limit))
    }

    /// What to say now; nil when there is nothing to say.
    func warning() -> Finding? { age.withLock { $0.warning() } }
}
