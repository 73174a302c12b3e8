/// Settings of the `ddl` key: whether the definitions of tables and schemas are part of a run, and where they are.
public struct DefinitionConfiguration: Sendable, Equatable {
    /// Definitions of tables and schemas are part of the run.
    public var isEnabled: Bool
    /// The folder of the list of tables.
    public var location: Template
    /// The name of each file.
    public var filename: Template
    /// Restore: the database is dropped and created again first.
    public var recreatesDatabase: Bool
    /// How a restore chooses the files; nil: the default strategy.
    public var strategy: RestoreStrategy?
    /// Restore: the role that runs the definitions; nil: the role of the connection.
    public var role: String?
    /// `location` was given rather than defaulted.
    public var hasExplicitLocation: Bool

    /// Gathers settings; without any, definitions are not part of a run.
    ///
    /// - Parameters:
    ///   - isEnabled: Definitions of tables and schemas are part of the run.
    ///   - location: The folder of the list of tables; nil: `backups/ddl`.
    ///   - filename: The name of each file; nil: `{timestamp}.{ext}`.
    ///   - recreatesDatabase: Restore: the database is dropped and created again first.
    ///   - strategy: How a restore chooses the files; nil: the default strategy.
    ///   - role: Restore: the role that runs the definitions; nil: the role of the connection.
    public init(
        isEnabled: Bool = false,
        location: Template? = nil,
        filename: Template? = nil,
        recreatesDatabase: Bool = false,
        strategy: RestoreStrategy? = nil,
        role: String? = nil
    ) {
        self.isEnabled = isEnabled
        self.location = location ?? Defaults.definitionsLocation
        self.filename = filename ?? Defaults.filename
        self.recreatesDatabase = recreatesDatabase
        self.strategy = strategy
        self.role = role
        hasExplicitLocation = location != nil
    }
}
