/// Settings of `databudgie backup`.
public struct BackupConfiguration: Sendable, Equatable {
    /// What backup and restore have in common.
    public var run: RunConfiguration
    /// What is exported, in order of appearance.
    public var tables: [BackupEntry]

    /// Gathers settings.
    ///
    /// - Parameters:
    ///   - run: What backup and restore have in common.
    ///   - tables: What is exported.
    public init(run: RunConfiguration = RunConfiguration(), tables: [BackupEntry] = []) {
        self.run = run
        self.tables = tables
    }
}
