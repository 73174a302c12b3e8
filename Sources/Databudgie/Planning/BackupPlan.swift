/// All jobs of a backup with their order and the reason for each, computed before anything is written.
struct BackupPlan: Sendable {
    /// In the order of execution: referenced tables first, otherwise the order of appearance.
    var jobs: [BackupJob]
    /// The tables whose definitions are part of the backup.
    var definitions: [DefinitionGroup]
    /// What the user should know about the selection, and why each job is there.
    var findings: [Finding]
    /// Which rows of the tables are exported; nil: all.
    var subset: SubsetPlan?
    /// What the set's record says of masks; nil when nothing is masked.
    var masking: SetRecord.Masking?
}
