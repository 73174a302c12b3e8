import Postgres

/// Proposes masks for columns without a rule, by their names, types and comments.
enum MaskSuggestion {
    /// The mask that a column probably needs.
    ///
    /// - Parameter column: What is known of it.
    /// - Returns: A mask as configurations have it: `email`, `{shift: 30 days}`, `keep`.
    static func of(_ column: ColumnFacts) -> String {
        guard !column.isIdentity, !column.ownsSequence, !column.isPartitionKey else { return "keep" }
        let words = [column.name, column.comment].compactMap(\.self).lazy.compactMap(PersonalWord.mask)
        if let mask = words.first, let fitting = fitting(mask, column) { return fitting }
        return byType(column)
    }

    /// The mask, or what comes near it in the column's type; nil when the word means something else here.
    private static func fitting(_ mask: String, _ column: ColumnFacts) -> String? {
        let family = column.type.family
        switch mask {
        case "{shift: 30 days}":
            if [.date, .moment, .zonedMoment].contains(family) { return mask }
            return family == .text ? "scramble" : nil
        case "{noise: 10%}":
            return [.int2, .int4, .decimal, .float4, .float8, .bigInteger].contains(family) ? mask : nil
        case "ip": return family == .inet ? mask : family == .text ? "hash" : nil
        case "null":
            guard column.isNotNull else { return [.bool, .date, .moment, .zonedMoment].contains(family) ? nil : mask }
            return [.text, .bytes].contains(family) ? "hash" : nil
        default:
            if family == .text { return mask }
            if column.type.elementType?.family == .text { return "{each: \(mask)}" }
            return nil
        }
    }

    private static func byType(_ column: ColumnFacts) -> String {
        switch column.type.family {
        case .text: "scramble"
        case .json: "{keep_paths: []}"
        case .list: column.type.elementType?.family == .text ? "{each: scramble}" : "keep"
        case .bytes: column.isNotNull ? "hash" : "null"
        case .inet: "ip"
        case .other: column.type.mayHoldCopies && !column.isNotNull ? "null" : "keep"
        default: "keep"
        }
    }
}

extension ColumnFacts {
    /// Its name says that it holds something of a person that its type can hold; `name` alone may be that of anything.
    var looksPersonal: Bool {
        guard !isIdentity, !ownsSequence, !name.hasBytes(of: "name"), PersonalWord.mask(for: name) != nil else {
            return false
        }
        return MaskSuggestion.of(self) != "keep"
    }
}
