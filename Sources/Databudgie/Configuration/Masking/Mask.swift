/// What takes the place of a column's values.
public struct Mask: Sendable, Equatable {
    /// The kinds of masks; Documentation/masking.md says what each does.
    @nonexhaustive
    public indirect enum Kind: Sendable, Equatable {
        /// The value stays.
        case keep
        /// NULL.
        case null
        /// The same value in each row.
        case value(String)
        /// 128 bits of a keyed hash, in the type of the column.
        case hash
        /// An address at example.com.
        case email
        /// An entry of a list of names.
        case name(NameKind)
        /// Other digits; all else stays.
        case digits
        /// Other letters and digits, of the same kind.
        case scramble
        /// Another moment, at most this far away.
        case shift(MaskShift)
        /// The beginning of the year, the month and so on.
        case truncate(DateUnit)
        /// Another number, at most this many percent away.
        case noise(percent: Double)
        /// Asterisks, but for so many characters at the beginning and the end.
        case redact(first: Int, last: Int)
        /// Text of the same length that says nothing.
        case filler
        /// One of these values; nil: one of the type's own, for an enum or a boolean.
        case choose([String]?)
        /// An address of a private network.
        case ip
        /// A mask for each element of an array.
        case each(Mask)
        /// Masks for parts of a JSON document.
        case paths([MaskedPath])
        /// A JSON object of these parts only.
        case keepPaths([JSONPath])
        /// An SQL expression over the columns of the row.
        case sql(String, isUnique: Bool)
    }

    /// A part of a JSON document with its mask.
    public struct MaskedPath: Sendable, Equatable {
        /// The part.
        public var path: JSONPath
        /// Its mask.
        public var mask: Mask

        /// Masks a part.
        public init(_ path: JSONPath, _ mask: Mask) {
            (self.path, self.mask) = (path, mask)
        }
    }

    /// What dates are cut to.
    public enum DateUnit: String, Sendable, CaseIterable {
        /// The units of `date_trunc` (Postgres documentation, 9.9.2) that leave less than a minute's precision.
        case year, quarter, month, week, day, hour
    }

    /// What it does.
    public var kind: Kind
    /// The column whose value it depends on, instead of the masked value.
    public var by: String?
    /// What equal values must have in common to get equal masks; nil: the mask's name, or `row` with ``by``.
    public var context: String?
    /// The language of names.
    public var locale: NameLocale

    /// Describes a mask.
    ///
    /// - Parameters:
    ///   - kind: What it does.
    ///   - by: The column whose value it depends on, instead of the masked value.
    ///   - context: What equal values must have in common to get equal masks; nil: the mask's name, or `row` with `by`.
    ///   - locale: The language of names.
    public init(_ kind: Kind, by: String? = nil, context: String? = nil, locale: NameLocale = .english) {
        (self.kind, self.by, self.context, self.locale) = (kind, by, context, locale)
    }

    /// Its name in configurations.
    public var name: String {
        switch kind {
        case .keep: "keep"
        case .null: "null"
        case .value: "value"
        case .hash: "hash"
        case .email: "email"
        case .name(let kind): kind.rawValue
        case .digits: "digits"
        case .scramble: "scramble"
        case .shift: "shift"
        case .truncate: "truncate"
        case .noise: "noise"
        case .redact: "redact"
        case .filler: "filler"
        case .choose: "choose"
        case .ip: "ip"
        case .each: "each"
        case .paths: "paths"
        case .keepPaths: "keep_paths"
        case .sql: "sql"
        }
    }

    /// The names of all masks.
    static let names =
        ["keep", "null", "value", "hash", "email"] + NameKind.allCases.map(\.rawValue) + [
            "digits", "scramble", "shift", "truncate", "noise", "redact", "filler", "choose", "ip", "each", "paths",
            "keep_paths", "sql",
        ]

    /// The masks inside this one.
    var inner: [Mask] {
        switch kind {
        case .each(let mask): [mask]
        case .paths(let paths): paths.map(\.mask)
        default: []
        }
    }

    /// Whether it depends on the key, itself or by a mask inside it.
    var isKeyed: Bool {
        switch kind {
        case .hash, .email, .name, .digits, .scramble, .shift, .noise, .choose, .ip: true
        case .each, .paths: inner.contains(where: \.isKeyed)
        case .keep, .null, .value, .truncate, .redact, .filler, .keepPaths, .sql: false
        }
    }

    /// The columns that it depends on besides the masked one, in its own words.
    var columnsUsed: [String] { [by].compactMap(\.self) + inner.flatMap(\.columnsUsed) }

    /// Whether it, or a mask inside it, has values or an expression that the user has written.
    var hasLiterals: Bool {
        switch kind {
        case .sql, .value, .choose(_?): true
        default: inner.contains(where: \.hasLiterals)
        }
    }

    /// Whether it, or a mask inside it, is an expression of the user's.
    var hasUserText: Bool {
        if case .sql = kind { true } else { inner.contains(where: \.hasUserText) }
    }
}

/// What the entries of a list of names are.
public enum NameKind: String, Sendable, CaseIterable {
    /// First names, such as `Ada`.
    case firstName = "first_name"
    /// Family names, such as `Lovelace`.
    case lastName = "last_name"
    /// A first name and a family name.
    case fullName = "full_name"
    /// Towns.
    case city
    /// Streets, without a number.
    case street
    /// Names of companies.
    case company
}

/// The language of names.
public enum NameLocale: String, Sendable, CaseIterable {
    /// English, the default.
    case english = "en"
    /// German.
    case german = "de"
    /// French.
    case french = "fr"
    /// Spanish.
    case spanish = "es"
}

/// The greatest distance between a moment and what takes its place.
public struct MaskShift: Sendable, Equatable, CustomStringConvertible {
    /// The distance in seconds.
    public let seconds: Int
    /// The distance as it was written: `30 days`.
    public let description: String

    /// The distance in whole days; nil when it is not a number of days.
    var days: Int? { seconds % 86_400 == 0 ? seconds / 86_400 : nil }

    /// The longest distance, about 100 years: dates near the ends of the calendar stay inside it.
    private static let longest = 36_525 * 86_400

    private static let units = ["second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800]

    /// Reads a distance.
    ///
    /// - Parameter text: A number and a unit from seconds to weeks: `30 days`, `12 hours`.
    public init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 2, let number = Int(parts[0]), number > 0 else { return nil }
        let isPlural = parts[1].utf8.last == UInt8(ascii: "s")
        let unit = isPlural ? String(decoding: parts[1].utf8.dropLast(), as: UTF8.self) : parts[1]
        guard let factor = Self.units[unit], number <= Self.longest / factor else { return nil }
        (seconds, description) = (number * factor, text)
    }

    /// A distance in days.
    ///
    /// - Parameter days: From 1 to 36,525.
    public init?(days: Int) {
        self.init("\(days) days")
    }
}
