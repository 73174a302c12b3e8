/// Which masks a type has, and which of them keep different values different.
enum MaskFit {
    /// Whether a mask can take the place of a type's values.
    static func fits(_ mask: Mask, _ type: ColumnType) -> Bool {
        let family = type.family
        return switch mask.kind {
        case .keep, .null, .value, .sql, .choose(_?): true
        case .hash: [.text, .uuid, .bytes, .bigInteger].contains(family)
        case .email, .name, .digits, .scramble, .redact, .filler: family == .text
        case .shift(let shift): family == .date ? shift.days != nil : [.moment, .zonedMoment].contains(family)
        case .truncate(let unit):
            family == .date ? unit != .hour && unit != .day : [.moment, .zonedMoment].contains(family)
        case .noise: [.int2, .int4, .bigInteger, .decimal, .float4, .float8].contains(family)
        case .choose(nil): family == .bool || (family == .enumeration && !type.labels.isEmpty)
        case .ip: family == .inet
        case .each(let inner): type.elementType.map { fits(inner, $0) } ?? false
        case .paths, .keepPaths: family == .json
        }
    }

    /// The masks that a type has, for messages.
    static func masks(for type: ColumnType) -> [String] {
        let own =
            switch type.family {
            case .text: ["hash", "email", "full_name", "digits", "scramble", "redact", "filler"]
            case .uuid, .bytes: ["hash"]
            case .bigInteger: ["hash", "noise"]
            case .int2, .int4, .decimal, .float4, .float8: ["noise"]
            case .date, .moment, .zonedMoment: ["shift", "truncate"]
            case .bool, .enumeration: ["choose"]
            case .inet: ["ip"]
            case .json: ["paths", "keep_paths"]
            case .list: ["each"]
            case .other: [String]()
            }
        return own + ["null", "value", "sql", "keep"]
    }

    /// The masks that keep different values of a type different.
    static func uniqueMasks(for type: ColumnType) -> [String] {
        switch type.family {
        case .text: ["keep", "hash", "email"]
        case .uuid, .bytes, .bigInteger: ["keep", "hash"]
        default: ["keep"]
        }
    }

    /// Whether a mask keeps different values different.
    ///
    /// - Parameters:
    ///   - mask: The mask.
    ///   - type: Of the column.
    ///   - emailDigits: The digits of e-mail addresses that have room.
    ///   - isUnique: Whether all values of another column differ.
    /// - Returns: False when two values may get the same mask.
    static func isInjective(
        _ mask: Mask,
        _ type: ColumnType,
        emailDigits: Int,
        _ isUnique: (String) -> Bool
    ) -> Bool {
        if let by = mask.by, !isUnique(by) { return false }
        return switch mask.kind {
        case .keep: true
        case .hash: true
        case .email: emailDigits == MaskRoom.emailDigits
        case .each(let inner):
            type.elementType.map { isInjective(inner, $0, emailDigits: emailDigits, isUnique) } ?? false
        case .sql(_, let isUnique): isUnique
        default: false
        }
    }
}
