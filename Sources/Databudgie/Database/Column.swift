/// A column of a relation, in the order of the table.
struct Column: Sendable, Hashable {
    /// Compared by bytes, as the server does.
    private let key: ByteKey
    let isNotNull: Bool
    /// True when the server fills in a missing value: there is a default, or it is an identity.
    let hasDefault: Bool
    /// True for `GENERATED ALWAYS AS (…) STORED`: the server refuses values for it.
    let isGenerated: Bool

    init(name: String, isNotNull: Bool, hasDefault: Bool, isGenerated: Bool) {
        key = ByteKey(name)
        self.isNotNull = isNotNull
        self.hasDefault = hasDefault
        self.isGenerated = isGenerated
    }

    var name: String { key.string }
}
