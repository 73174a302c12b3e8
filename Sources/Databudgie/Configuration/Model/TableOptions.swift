/// What every entry of `tables` has, on either side.
public struct TableOptions: Sendable {
    /// An exact name or a glob over `schema.table`; nil for an unnamed query.
    public var name: String?
    /// The folder of the data files, composed under `root_location`.
    public var location: Template
    /// The name of each data file.
    public var filename: Template
    /// Globs; one without a dot matches the bare table name in any schema.
    public var exclude: [String]
    /// The table's definition is a part of the run, where DDL is enabled at all.
    public var ddl: Bool
    /// The positions of the table's sequences are a part of the run.
    public var sequences: Bool
    /// `sequences: true` was written down for this entry or at a level above it, rather than defaulted.
    public var hasExplicitSequences: Bool
    /// The rows are a part of the run.
    public var data: Bool
    /// Also the tables that this one refers to, recursively.
    public var followForeignKeys: Bool
    /// The run stops when this entry fails.
    public var strict: Bool
    /// Where the entry stands, for messages: `databudgie.yml:12`, or `--table`.
    public var place: String
    /// `location` was given for this entry or at a level above it, rather than defaulted.
    public var hasExplicitLocation: Bool
}
