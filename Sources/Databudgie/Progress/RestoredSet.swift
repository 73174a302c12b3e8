/// The backup set that a restore reads.
public struct RestoredSet: Sendable, Equatable {
    /// Its id, the moment of its backup.
    public let id: String
    /// The time from the backup to the restore; nil when its id is not a moment.
    public let age: Duration?
    /// How many tables and queries have data files in it.
    public let tables: Int

    /// Describes a set.
    ///
    /// - Parameters:
    ///   - id: Its id.
    ///   - age: The time from the backup to the restore.
    ///   - tables: How many tables and queries have data files in it.
    public init(id: String, age: Duration?, tables: Int) {
        self.id = id
        self.age = age
        self.tables = tables
    }
}
