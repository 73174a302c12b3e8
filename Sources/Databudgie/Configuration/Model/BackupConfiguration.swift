/// Settings of `databudgie backup`.
public struct BackupConfiguration: Sendable, Equatable {
    /// What backup and restore have in common.
    public var run: RunConfiguration
    /// What is exported, in order of appearance.
    public var tables: [BackupEntry]
    /// Which sets are kept when old ones are removed (`retention`); nil: none may be removed.
    public var retention: RetentionPolicy?
    /// Which rows of the tables are exported (`subset`); nil: all.
    public var subset: SubsetSettings?
    /// Which columns are masked (`masking`); nil: none.
    public var masking: MaskingConfiguration?
    /// How many tables are exported at once (`jobs`); nil: as many as seems right for this machine and what there is to do.
    public var jobs: Int?

    /// Gathers settings.
    ///
    /// - Parameters:
    ///   - run: What backup and restore have in common.
    ///   - tables: What is exported.
    ///   - retention: Which sets are kept when old ones are removed.
    ///   - subset: Which rows of the tables are exported; nil: all.
    ///   - masking: Which columns are masked.
    ///   - jobs: How many tables are exported at once, from 1 to ``mostJobs``; nil: as many as seems right.
    public init(
        run: RunConfiguration = RunConfiguration(),
        tables: [BackupEntry] = [],
        retention: RetentionPolicy? = nil,
        subset: SubsetSettings? = nil,
        masking: MaskingConfiguration? = nil,
        jobs: Int? = nil
    ) {
        self.run = run
        self.tables = tables
        self.retention = retention
        self.subset = subset
        self.masking = masking
        self.jobs = jobs
    }

    /// The most tables that can be exported, or groups of them loaded, at once.
    public static let mostJobs = 64
}
