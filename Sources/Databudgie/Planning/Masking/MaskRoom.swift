/// How much room the values of a mask take.
enum MaskRoom {
    /// The hexadecimal digits of an e-mail address: 64 bits.
    static let emailDigits = 16
    /// Fewer of them would make different people one.
    static let fewestEmailDigits = 8
    /// What an e-mail address has besides its digits: `u` and `@example.com`.
    static let emailFrame = 13

    /// The most characters of a mask's values; nil when they are no longer than the masked ones, or no text.
    ///
    /// - Parameters:
    ///   - mask: The mask.
    ///   - type: Of the column.
    /// - Returns: Characters.
    static func longest(_ mask: Mask, in type: ColumnType) -> Int? {
        switch mask.kind {
        case .hash: return type.family == .text ? 32 : nil
        case .email: return emailFrame + fewestEmailDigits
        case .name(let kind): return NameLists.longest(kind, mask.locale)
        case .value(let text): return type.family == .text ? text.unicodeScalars.count : nil
        case .choose(let values?): return type.family == .text ? values.map(\.unicodeScalars.count).max() : nil
        case .each(let mask): return longest(mask, in: type.elementType ?? type)
        default: return nil
        }
    }

    /// The digits that an e-mail address has in a column.
    ///
    /// - Parameter limit: The most characters of the column.
    /// - Returns: From 8 to 16.
    static func emailDigits(in limit: Int?) -> Int {
        guard let limit else { return emailDigits }
        return max(fewestEmailDigits, min(emailDigits, limit - emailFrame))
    }
}

extension ColumnType {
    /// The type of an array's elements, as a column would have it.
    var elementType: ColumnType? {
        element.map {
            ColumnType(name: $0.name, qualified: $0.qualified, kind: $0.kind, modifier: modifier, labels: $0.labels)
        }
    }
}
