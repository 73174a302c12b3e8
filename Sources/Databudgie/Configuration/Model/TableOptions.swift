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
    public var ddl: Bool
    /// The values of the table's sequences are part of the run.
    public var sequences: Bool
    /// `sequences: true` was given for this entry or at a level above it, rather than defaulted.
    public var hasExplicitSequences: Bool
    /// The rows are part of the run.
    public var data: Bool
    /// Also the tables that this one refers to, recursively.
    public var followForeignKeys: Bool
    /// The run stops when this entry fails.
    public var strict: Bool
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
    ///   - ddl: The table's definition is part of the run, if definitions are enabled at all.
    ///   - sequences: The values of the table's sequences are part of the run; nil: they are, without a warning for a
    ///     table whose values are not in the backup.
    ///   - data: The rows are part of the run.
    ///   - followForeignKeys: Also the tables that this one refers to, recursively.
    ///   - strict: The run stops when this entry fails.
    ///   - place: Where the entry is, for messages; nil: its name.
    public init(
        name: String?,
        location: Template? = nil,
        filename: Template? = nil,
        exclude: [String] = [],
        ddl: Bool = true,
        sequences: Bool? = nil,
        data: Bool = true,
        followForeignKeys: Bool = false,
        strict: Bool = false,
        place: String? = nil
    ) {
        self.name = name
        self.location = location ?? Defaults.location
        self.filename = filename ?? Defaults.filename
        self.exclude = exclude
        self.ddl = ddl
        self.sequences = sequences ?? true
        hasExplicitSequences = sequences == true
        self.data = data
        self.followForeignKeys = followForeignKeys
        self.strict = strict
        self.place = place ?? name.map { "the entry '\($0)'" } ?? "the entry without a name"
        hasExplicitLocation = location != nil
    }
}
