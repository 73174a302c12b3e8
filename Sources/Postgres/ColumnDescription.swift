/// A column of a statement's result.
public struct ColumnDescription: Sendable, Hashable {
    /// The column's name; several columns of one result may have the same.
    public var name: String
    /// The OID of the column's type in `pg_type`.
    public var typeOID: UInt32
    /// The OID of the table that the column is read from, if it is a plain column of a table.
    public var tableOID: UInt32?
    /// The column's `attnum` in that table.
    public var columnNumber: Int?
}
