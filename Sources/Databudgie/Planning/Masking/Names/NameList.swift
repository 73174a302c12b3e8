import Postgres

/// Names that masks choose from.
struct NameList: Sendable {
    /// The names as an SQL string, the text of an array.
    let literal: String
    let count: Int
    /// The most characters of a name.
    let longest: Int

    /// The names, in their order.
    let names: [String]

    /// - Parameter text: Names with commas between them, in any number of lines.
    init(_ text: String) {
        names = text.utf8.split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n") }.compactMap { part in
            let bytes = part.drop { $0 == UInt8(ascii: " ") }
            return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        }
        count = names.count
        longest = names.map(\.unicodeScalars.count).max() ?? 0
        literal = quotedLiteral(MaskSQL.arrayText(names))
    }
}

/// The lists of all languages.
///
/// Equal values have equal masks only with equal lists, so a list is never changed; another one is another version.
enum NameLists {
    /// What a set's record says of them.
    static let version = 1

    /// The list of a kind; of two lists together the first.
    static func list(_ kind: NameKind, _ locale: NameLocale) -> NameList {
        switch locale {
        case .english: english(kind)
        case .german: german(kind)
        case .french: french(kind)
        case .spanish: spanish(kind)
        }
    }

    /// The most characters of a name.
    static func longest(_ kind: NameKind, _ locale: NameLocale) -> Int {
        guard kind == .fullName else { return list(kind, locale).longest }
        return list(.firstName, locale).longest + 1 + list(.lastName, locale).longest
    }

    private static func english(_ kind: NameKind) -> NameList {
        switch kind {
        case .firstName, .fullName: .firstNamesEnglish
        case .lastName: .lastNamesEnglish
        case .city: .citiesEnglish
        case .street: .streetsEnglish
        case .company: .companiesEnglish
        }
    }

    private static func german(_ kind: NameKind) -> NameList {
        switch kind {
        case .firstName, .fullName: .firstNamesGerman
        case .lastName: .lastNamesGerman
        case .city: .citiesGerman
        case .street: .streetsGerman
        case .company: .companiesGerman
        }
    }

    private static func french(_ kind: NameKind) -> NameList {
        switch kind {
        case .firstName, .fullName: .firstNamesFrench
        case .lastName: .lastNamesFrench
        case .city: .citiesFrench
        case .street: .streetsFrench
        case .company: .companiesFrench
        }
    }

    private static func spanish(_ kind: NameKind) -> NameList {
        switch kind {
        case .firstName, .fullName: .firstNamesSpanish
        case .lastName: .lastNamesSpanish
        case .city: .citiesSpanish
        case .street: .streetsSpanish
        case .company: .companiesSpanish
        }
    }
}
