import Postgres

/// Turns masks of the columns of one row into SQL expressions for a SELECT list.
///
/// The keyed ones are `HMAC-SHA-256(K, text)`, of whose 32 bytes each use has its own, so that another mask never changes
/// one: `hash` and `email` from 1, first names from 9, family names from 16, all others from 23.
struct MaskCompiler {
    /// The columns that masks may name under `by`.
    let row: [ByteKey: MaskedValue]
    /// The contexts whose derived keys the statement needs, in the order of their numbers, from 1.
    private(set) var contexts: [String] = []
    /// The hashes of other columns that masks of the row share.
    private var shared: [(column: ByteKey, context: ByteKey, sql: String)] = []
    /// How many aliases were given.
    private var aliases = 0

    /// Places of a hash, counted from 1.
    enum Place {
        static let firstName = 9
        static let lastName = 16
        static let other = 23
    }

    init(row: [ByteKey: MaskedValue]) {
        self.row = row
    }

    /// The settings that hold a derived key, from 1.
    static func settings(of number: Int) -> (inner: String, outer: String) {
        ("databudgie.mask\(number)i", "databudgie.mask\(number)o")
    }

    /// Joins for the FROM clause, after the table: each hash that masks share is computed once a row.
    ///
    /// Expressions of the user's see its column too, so that has a name that no table's column has by chance.
    var joins: String {
        shared.enumerated().map { number, hash in
            " cross join lateral (select \(hash.sql) as databudgie_h offset 0) as \(Self.sharedAlias(number))"
        }.joined()
    }

    private static func sharedAlias(_ number: Int) -> String { "databudgie_by\(number + 1)" }

    /// A name for a subselect that nothing else has.
    mutating func alias() -> String {
        aliases += 1
        return "databudgie_m\(aliases)"
    }

    /// The mask of a column, in the column's type.
    mutating func column(_ mask: Mask, _ value: MaskedValue) -> String {
        if case .keep = mask.kind { return value.sql }
        return "(\(expression(mask, value)))::\(value.type.qualified)"
    }

    /// The mask of a value; its type is one that can be cast to the value's.
    mutating func expression(_ mask: Mask, _ value: MaskedValue) -> String {
        let expression = expressionOfValues(mask, value)
        // The hash of another column says nothing of a null.
        return mask.by == nil ? expression : MaskSQL.keepingNull(value.sql, expression)
    }

    private mutating func expressionOfValues(_ mask: Mask, _ value: MaskedValue) -> String {
        switch mask.kind {
        case .keep: value.sql
        case .null: "null"
        case .value(let text): quotedLiteral(text)
        case .hash: hashed(mask, value)
        case .email: email(mask, value)
        case .name(let kind): name(kind, mask, value)
        case .digits: characters(mask, value, letters: false)
        case .scramble: characters(mask, value, letters: true)
        case .shift(let shift): shifted(by: shift, mask, value)
        case .truncate(let unit): truncated(to: unit, value)
        case .noise(let percent): noise(percent, mask, value)
        case .redact(let first, let last): redacted(first, last, value)
        case .filler: filler(value)
        case .choose(let values): chosen(values, mask, value)
        case .ip: address(mask, value)
        case .each(let inner): each(inner, value)
        case .paths(let paths): masked(paths, value)
        case .keepPaths(let paths): kept(paths, value)
        // A line of its own, because it may end in a comment.
        case .sql(let sql, _): "(\n\(sql)\n)"
        }
    }
}

/// Hashes.
extension MaskCompiler {
    /// 32 bytes that depend on the value, or on the column that the mask names.
    mutating func hash(_ mask: Mask, _ value: MaskedValue) -> String {
        guard let by = mask.by, let column = row[ByteKey(by)] else {
            return code(value.canonicalText, mask.context ?? mask.name)
        }
        let context = mask.context ?? "row"
        let hash = sharedHash(of: column, named: ByteKey(by), ByteKey(context))
        // Without the other value, the masked one counts.
        return column.isNotNull ? hash : "coalesce(\(hash), \(code(value.canonicalText, context)))"
    }

    /// 32 bytes that depend on the value and, if the mask names one, on another column.
    ///
    /// Two texts that are turned by the same bytes would tell their difference, and one that is known would tell all others:
    /// so nothing but the column that the mask names is not enough here.
    mutating func hashOfValue(_ mask: Mask, _ value: MaskedValue) -> String {
        guard let by = mask.by, let column = row[ByteKey(by)] else { return hash(mask, value) }
        let other = column.isNotNull ? column.canonicalText : "coalesce(\(column.canonicalText), '')"
        return code(MaskSQL.joined(other, "'|'", value.canonicalText), mask.context ?? "row")
    }

    private mutating func sharedHash(of column: MaskedValue, named name: ByteKey, _ context: ByteKey) -> String {
        let known = shared.firstIndex { $0.column == name && $0.context == context }
        if known == nil { shared.append((name, context, code(column.canonicalText, context.string))) }
        return Self.sharedAlias(known ?? shared.count - 1) + ".databudgie_h"
    }

    /// HMAC-SHA-256 (RFC 2104) of a text under the key of a context.
    ///
    /// The scalar subselects are evaluated once a statement, not once a row.
    private mutating func code(_ text: String, _ context: String) -> String {
        let known = contexts.firstIndex { $0.hasBytes(of: context) }
        if known == nil { contexts.append(context) }
        let settings = Self.settings(of: (known ?? contexts.count - 1) + 1)
        func key(_ setting: String) -> String {
            "(select " + MaskSQL.call("decode", MaskSQL.call("current_setting", "'\(setting)'"), "'hex'") + ")"
        }
        let inner = MaskSQL.joined(key(settings.inner), MaskSQL.call("convert_to", text, "'UTF8'"))
        return MaskSQL.call("sha256", MaskSQL.joined(key(settings.outer), MaskSQL.call("sha256", inner)))
    }

    /// A number from 0 to 2^56 - 1, of seven bytes of a hash.
    static func number(_ hash: String, at place: Int) -> String {
        let digits = MaskSQL.call("encode", MaskSQL.call("substr", hash, "\(place)", "7"), "'hex'")
        return MaskSQL.cast(MaskSQL.cast(MaskSQL.joined("'x'", digits), "bit(56)"), "int8")
    }

    /// A number from 0 to a bound, without it.
    static func number(_ hash: String, at place: Int, below bound: Int) -> String {
        MaskSQL.binary(number(hash, at: place), "%", "\(bound)::pg_catalog.int8")
    }

    /// An entry of an array, by a number of a hash.
    static func entry(of array: String, _ count: Int, _ hash: String, at place: Int) -> String {
        let index = MaskSQL.binary("1", "+", number(hash, at: place, below: count))
        return "(\(array))[" + MaskSQL.cast(index, "int4") + "]"
    }

    private mutating func hashed(_ mask: Mask, _ value: MaskedValue) -> String {
        let hash = hash(mask, value)
        let bytes = MaskSQL.call("substr", hash, "1", "16")
        let digits = MaskSQL.call("encode", bytes, "'hex'")
        switch value.type.family {
        case .bytes: return bytes
        case .uuid:
            // Version 8, "custom" (RFC 9562, 5.8), and the variant of that document.
            let marked = MaskSQL.call("overlay", MaskSQL.call("overlay", digits, "'8'", "13", "1"), "'8'", "17", "1")
            return MaskSQL.cast(marked, "uuid")
        case .bigInteger:
            let half = MaskSQL.call("encode", MaskSQL.call("substr", hash, "1", "8"), "'hex'")
            let number = MaskSQL.cast(MaskSQL.cast(MaskSQL.joined("'x'", half), "bit(64)"), "int8")
            return MaskSQL.binary(number, "&", "\(Int64(1) << 62 - 1)::pg_catalog.int8")
        default: return digits
        }
    }
}
