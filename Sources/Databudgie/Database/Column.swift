/// A column of a relation, in the order of the table.
struct Column: Sendable, Hashable {
    /// Compared by bytes, as the server does.
    private let key: ByteKey
    let isNotNull: Bool
    /// True when the server fills in a missing value: there is a default, or it is an identity.
    let hasDefault: Bool
    /// True for `GENERATED ALWAYS AS (…) STORED`: the server refuses values for it.
    let isGenerated: Bool
    /// True for `GENERATED ALWAYS AS IDENTITY`: the server refuses to update it.
    let isAlwaysIdentity: Bool
    /// The OID of its type in `pg_type`, of a domain that of the type below it, as the server describes columns; nil when it
    /// was not read.
    let typeOID: UInt32?

    init(
        name: String,
        isNotNull: Bool,
        hasDefault: Bool,
        isGenerated: Bool,
        isAlwaysIdentity: Bool = false,
        typeOID: UInt32? = nil
    ) {
        key = ByteKey(name)
        self.isNotNull = isNotNull
        self.hasDefault = hasDefault
        self.isGenerated = isGenerated
        self.isAlwaysIdentity = isAlwaysIdentity
        self.typeOID = typeOID
    }

    var name: String { key.string }
}
