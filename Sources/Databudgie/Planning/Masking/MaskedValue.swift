/// An expression whose values a mask replaces, with its type.
struct MaskedValue: Sendable {
    /// SQL that can be written more than once.
    let sql: String
    let type: ColumnType
    var isNotNull = false
    /// It is compared without the case of letters, by its type or by that of a column that it refers to.
    var foldsCase = false
    /// The hexadecimal digits that an e-mail address has room for.
    var emailDigits = MaskRoom.emailDigits

    /// The value as text, the same for equal values of whatever type.
    var canonicalText: String {
        let text = MaskSQL.cast(sql, "text")
        switch type.family {
        case .text where foldsCase || type.isCaseInsensitive:
            return MaskSQL.call("lower", "\(text) collate pg_catalog.\"default\"")
        case .bytes:
            return MaskSQL.call("encode", sql, "'hex'")
        case .zonedMoment:
            return MaskSQL.cast(MaskSQL.call("timezone", "'UTC'", sql), "text")
        case .decimal:
            return MaskSQL.cast(MaskSQL.call("trim_scale", sql), "text")
        default:
            return text
        }
    }

    /// The value as text.
    var text: String { MaskSQL.cast(sql, "text") }

    /// The value's part inside an array.
    func element(_ sql: String, _ element: ColumnType.Element) -> MaskedValue {
        var value = MaskedValue(
            sql: sql,
            type: ColumnType(
                name: element.name,
                qualified: element.qualified,
                kind: element.kind,
                modifier: type.modifier,
                labels: element.labels
            )
        )
        (value.foldsCase, value.emailDigits) = (foldsCase, emailDigits)
        return value
    }

    /// A part of a JSON document, as text.
    static func document(_ sql: String) -> MaskedValue {
        MaskedValue(
            sql: sql,
            type: ColumnType(name: "text", qualified: "pg_catalog.text", kind: .base, modifier: -1)
        )
    }
}

extension ColumnType {
    /// What masks tell types apart by.
    enum Family {
        case text, uuid, bytes, int2, int4, bigInteger, decimal, float4, float8, date, moment, zonedMoment, bool, inet,
            json
        case enumeration, list, other
    }

    /// Types of the same name in other schemas are none of these, but for citext, which is where its extension is.
    var family: Family {
        if element != nil { return .list }
        if kind == .enumeration { return .enumeration }
        guard kind == .base else { return .other }
        if isCaseInsensitive { return .text }
        guard qualified.startsWithBytes(of: "pg_catalog.") else { return .other }
        return Self.families[name] ?? .other
    }

    var isCaseInsensitive: Bool { kind == .base && name.hasBytes(of: "citext") }

    private static let families: [String: Family] = [
        "text": .text, "varchar": .text, "bpchar": .text, "name": .text, "uuid": .uuid, "bytea": .bytes,
        "int2": .int2, "int4": .int4, "int8": .bigInteger, "numeric": .decimal, "float4": .float4, "float8": .float8,
        "date": .date, "timestamp": .moment, "timestamptz": .zonedMoment, "bool": .bool, "inet": .inet,
        "json": .json, "jsonb": .json,
    ]

    /// The most characters of a text; nil without a limit.
    var textLimit: Int? {
        guard family == .text || element != nil else { return nil }
        if name.hasBytes(of: "name") { return 63 }
        let isLimited = ["varchar", "bpchar", "_varchar", "_bpchar"].contains { name.hasBytes(of: $0) }
        return isLimited && modifier > 4 ? modifier - 4 : nil
    }

    /// Precision and scale of a `numeric`; nil when any number fits.
    var precision: (digits: Int, scale: Int)? {
        guard family == .decimal, modifier > 4 else { return nil }
        // The scale has eleven bits since Postgres 15, the first of them for its sign.
        let (digits, bits) = ((modifier - 4) >> 16, (modifier - 4) & 0x7FF)
        return (digits, bits >= 1_024 ? bits - 2_048 : bits)
    }

    /// The type for people.
    var label: String {
        guard let element else { return qualified.withoutSystemSchema }
        return element.qualified.withoutSystemSchema + "[]"
    }
}

extension String {
    fileprivate var withoutSystemSchema: String {
        guard startsWithBytes(of: "pg_catalog.") else { return self }
        return String(
            decoding: utf8.dropFirst("pg_catalog.".utf8.count).filter { $0 != UInt8(ascii: "\"") },
            as: UTF8.self
        )
    }
}
