/// A column of a data file, as SQL over the alias `t` of its table.
struct ExportColumn: Sendable {
    let name: String
    /// The type as the server writes it, for a NULL in its place.
    let type: String
    /// The value; nil: that of the column itself.
    var expression: String?
}
