/// A column that a job has moved.
///
/// Two columns are equal when the bytes of their names and their types are.
public struct JobColumn: Sendable, Hashable {
    private let key: ByteKey
    /// The OID of its type in `pg_type`; nil when only the file's header was read.
    public let typeOID: UInt32?
    /// The type as the server writes it; known for the columns of a query alone.
    public var typeName: String?

    init(_ name: String, typeOID: UInt32? = nil) {
        key = ByteKey(name)
        self.typeOID = typeOID
    }

    /// The column's name.
    public var name: String { key.string }
}
