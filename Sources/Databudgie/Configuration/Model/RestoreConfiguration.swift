/// Settings of `databudgie restore`.
public struct RestoreConfiguration: Sendable, Equatable {
    /// What backup and restore have in common.
    public var run: RunConfiguration
    /// What is restored, in order of appearance; entries without a name are not in it, because they cannot be restored.
    public var tables: [RestoreEntry]
    /// No confirmation is asked for (`--yes`).
    public var assumesYes: Bool
    /// Which backup set is read (`--set`, `--as-of`).
    public var set: SetSelection
    /// What is committed at once (`transaction`).
    public var transaction: RestoreTransaction
    /// Globs over the hosts that are restored into without a confirmation (`safe_hosts`); nil: all of them.
    public var safeHosts: [String]?
    /// Only a set is restored whose columns are all masked, or kept by a rule (`require_masked`).
    public var requiresMasks: Bool
    /// How many groups of tables are loaded at once (`jobs`); nil: as many as seems right for this machine and what there is to do.
    public var jobs: Int?

    /// Gathers settings.
    ///
    /// - Parameters:
    ///   - run: What backup and restore have in common.
    ///   - tables: What is restored; each entry has a name.
    ///   - assumesYes: No confirmation is asked for.
    ///   - set: Which backup set is read.
    ///   - transaction: What is committed at once.
    ///   - safeHosts: Globs over the hosts that are restored into without a confirmation; nil: all of them.
    ///   - requiresMasks: Only a set is restored whose columns are all masked, or kept by a rule.
    ///   - jobs: How many groups of tables are loaded at once, from 1 to ``BackupConfiguration/mostJobs``; nil: as many as seems
    ///     right.
    public init(
        run: RunConfiguration = RunConfiguration(),
        tables: [RestoreEntry] = [],
        assumesYes: Bool = false,
        set: SetSelection = .newest,
        transaction: RestoreTransaction = .group,
        safeHosts: [String]? = nil,
        requiresMasks: Bool = false,
        jobs: Int? = nil
    ) {
        self.run = run
        self.tables = tables
        self.assumesYes = assumesYes
        self.set = set
        self.transaction = transaction
        self.safeHosts = safeHosts
        self.requiresMasks = requiresMasks
        self.jobs = jobs
    }
}
