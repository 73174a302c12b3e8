/// A foreign key between two relations.
struct ForeignKey: Sendable, Hashable {
    /// Compared by bytes, as the server does.
    private let key: ByteKey
    /// The table that has the constraint.
    let referencing: Relation.OID
    /// The table that the constraint points to.
    let referenced: Relation.OID
    let isDeferrable: Bool
    /// The copy of a partitioned table's constraint at one of its partitions; only the original can be altered.
    let isInherited: Bool
    /// The server vouches that all rows of the referencing table have what they refer to.
    let isValidated: Bool
    private let columnKeys: [ByteKey]

    init(
        name: String,
        referencing: Relation.OID,
        referenced: Relation.OID,
        isDeferrable: Bool,
        isInherited: Bool,
        isValidated: Bool = true,
        columns: [String] = []
    ) {
        key = ByteKey(name)
        columnKeys = columns.map { ByteKey($0) }
        self.referencing = referencing
        self.referenced = referenced
        self.isDeferrable = isDeferrable
        self.isInherited = isInherited
        self.isValidated = isValidated
    }

    /// The constraint's name.
    var name: String { key.string }

    /// The columns of the referencing table, in the order of the constraint.
    var columns: [String] { columnKeys.map(\.string) }
}
