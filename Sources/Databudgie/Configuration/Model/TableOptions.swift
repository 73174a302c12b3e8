/// What every entry of `tables` has, in a backup and in a restore.
public struct TableOptions: Sendable, Equatable {
    /// An exact name or a glob over `schema.table`; nil for an unnamed query.
    public var name: String?
    /// The folder of the data files.
    public var location: Template
    /// The name of each data file.
    public var filename: Template
    /// Globs; one without a dot matches the bare table name in any schema.
    public var exclude: [String]
    /// The table's definition is part of the run, if definitions are enabled at all.
    public var includesDefinition: Bool
    /// The values of the table's sequences are part of the run.
    public var includesSequences: Bool
    /// `sequences: true` was given for this entry or at a level above it, rather than defaulted.
    public var hasExplicitSequences: Bool
    /// The rows are part of the run.
    public var includesRows: Bool
    /// Also the tables that this one refers to, recursively.
    public var followsForeignKeys: Bool
    /// The run stops when this entry fails.
    public var isStrict: Bool
    /// Where the entry is, for messages: `databudgie.yml:12`, or `--table`.
    public var place: String
    /// `location` was given for this entry or at a level above it, rather than defaulted.
    public var hasExplicitLocation: Bool

    /// Describes an entry; everything but its name has a default.
    ///
    /// - Parameters:
    ///   - name: An exact name or a glob over `schema.table`; nil for an unnamed query, which needs a location.
    ///   - location: The folder of the data files, local or `s3://bucket/key`; nil: `backups/{table}`.
    ///   - filename: The name of each data file; nil: `{timestamp}.{ext}`.
    ///   - exclude: Globs; one without a dot matches the bare table name in any schema.
    ///   - includesDefinition: The table's definition is part of the run, if definitions are enabled at all.
    ///   - includesSequences: The values of the table's sequences are part of the run; nil: they are, without a warning
    ///     for a table whose values are not in the backup.
    ///   - includesRows: The rows are part of the run.
    ///   - followsForeignKeys: Also the tables that this one refers to, recursively.
    ///   - isStrict: The run stops when this entry fails.
    ///   - place: Where the entry is, for messages; nil: its name.
    public init(
        name: String?,
        location: Template? = nil,
        filename: Template? = nil,
        exclude: [String] = [],
        includesDefinition: Bool = true,
        includesSequences: Bool? = nil,
        includesRows: Bool = true,
        followsForeignKeys: Bool = false,
        isStrict: Bool = false,
        place: String? = nil
    ) {
        self.name = name
        self.location = location ?? Defaults.location
        self.filename = filename ?? Defaults.filename
        self.exclude = exclude
        self.includesDefinition = includesDefinition
        self.includesSequences = includesSequences ?? true
        hasExplicitSequences = includesSequences == true
        self.includesRows = includesRows
        self.followsForeignKeys = followsForeignKeys
        self.isStrict = isStrict
        self.place = place ?? name.map { "the entry '\($0)'" } ?? "the entry without a name"
        hasExplicitLocation = location != nil
    }
}
