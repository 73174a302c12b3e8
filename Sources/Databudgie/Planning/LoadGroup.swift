/// Jobs that share one transaction.
struct LoadGroup: Sendable {
    /// Referenced tables first.
    var jobs: [RestoreJob]
    /// What is emptied first, in one command.
    var truncated: [Relation]
    /// Those of the truncated tables that no entry asks to empty, but `truncate: cascade` reaches.
    var cascaded: [Relation] = []
    /// Constraints between tables that refer to one another in a cycle: their check waits until all rows are there.
    var deferredKeys: [ForeignKey]
}
