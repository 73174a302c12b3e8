/// What a file's name says about the file, once it has matched a template.
public struct TemplateMatch: Sendable {
    /// The text in the place of each variable; variables whose values were known are in it too.
    public let values: [Template.Variable: String]

    /// When the file was written, as far as its name says: its timestamp, else its date, else nothing.
    ///
    /// ISO 8601 strings of the same kind sort as their moments do: the greatest one is the newest.
    public var moment: String {
        values[.timestamp] ?? values[.date] ?? ""
    }
}

extension TemplateMatch: Hashable {
    /// Whether two matches have the same values, byte by byte.
    public static func == (left: TemplateMatch, right: TemplateMatch) -> Bool {
        left.keys == right.keys
    }

    /// Feeds the bytes of all values to a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(keys)
    }

    private var keys: [Template.Variable: ByteKey] { values.mapValues { ByteKey($0) } }
}

extension Template {
    /// Compares a name with the template, from its first to its last character.
    ///
    /// `{timestamp}` matches `2021-04-26T09:00:00` and `{date}` `2021-04-26`, if they are in the calendar; `{ext}` matches `csv`, `csv.gz` and
    /// `csv.zst` unless its value is known; `{table}` matches any text without a slash unless its value is known.
    /// A name that continues, with `.bak` or `.partial` say, does not match.
    /// - Parameters:
    ///   - name: A file's name, or as much of its path as the template describes.
    ///   - known: Variables that must have these values.
    /// - Returns: The values of the variables in the name; nil when the name does not match.
    public func match(_ name: String, _ known: [Variable: String] = [:]) -> TemplateMatch? {
        matches(name, known, limit: 1).first
    }

    /// Finds all ways in which a name matches the template.
    ///
    /// There is more than one only when `{table}` is not known and what surrounds it may be a part of the table's name.
    /// - Parameters:
    ///   - name: A file's name, or as much of its path as the template describes.
    ///   - known: Variables that must have these values.
    ///   - limit: How many are looked for at most.
    /// - Returns: The values of the variables for each.
    func matches(_ name: String, _ known: [Variable: String], limit: Int = .max) -> [TemplateMatch] {
        var search = TemplateSearch(known: known, limit: limit)
        search.match(parts[...], Array(name.unicodeScalars)[...], [:])
        return search.found
    }
}

/// A search for the ways in which a name matches a template.
private struct TemplateSearch {
    let known: [Template.Variable: String]
    let limit: Int
    var found: [TemplateMatch] = []

    mutating func match(
        _ parts: ArraySlice<Template.Part>,
        _ text: ArraySlice<Unicode.Scalar>,
        _ values: [Template.Variable: String]
    ) {
        guard let part = parts.first else {
            if text.isEmpty { found.append(TemplateMatch(values: values)) }
            return
        }
        switch part {
        case .literal(let literal):
            let scalars = literal.unicodeScalars
            guard text.starts(with: scalars) else { return }
            match(parts.dropFirst(), text.dropFirst(scalars.count), values)
        case .variable(let variable):
            let value = known[variable] ?? values[variable]
            for candidate in Self.candidates(for: variable, value: value, in: text) where found.count < limit {
                // Most candidates for a table's name are ruled out by what has to follow them.
                if case .literal(let next) = parts.dropFirst().first,
                    !text.dropFirst(candidate.count).starts(with: next.unicodeScalars)
                {
                    continue
                }
                var values = values
                values[variable] = Self.string(candidate)
                match(parts.dropFirst(), text.dropFirst(candidate.count), values)
            }
        }
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// What the variable can be at the beginning of a text.
    private static func candidates(
        for variable: Template.Variable,
        value: String?,
        in text: ArraySlice<Unicode.Scalar>
    ) -> [ArraySlice<Unicode.Scalar>] {
        if let value {
            let scalars = value.unicodeScalars
            return text.starts(with: scalars) ? [text.prefix(scalars.count)] : []
        }
        switch variable {
        case .timestamp: return shape("dddd-dd-ddTdd:dd:dd", in: text).filter(isMoment)
        case .date: return shape("dddd-dd-dd", in: text).filter(isMoment)
        case .ext:
            return DataFileFormat.all.map(\.ext.unicodeScalars).filter { text.starts(with: $0) }
                .map { text.prefix($0.count) }.sorted { $0.count > $1.count }
        case .table:
            let longest = text.prefix { $0 != "/" }.count
            return longest == 0 ? [] : (1...longest).reversed().map { text.prefix($0) }
        }
    }

    /// Whether a text that has the shape of a date, or of a date and a time, is one of the calendar.
    private static func isMoment(_ text: ArraySlice<Unicode.Scalar>) -> Bool {
        let numbers = text.split { !("0"..."9").contains($0) }.compactMap { Int(string($0)) }
        let (year, month, day) = (numbers[0], numbers[1], numbers[2])
        let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard days.indices.contains(month - 1), (1...days[month - 1]).contains(day) else { return false }
        return zip(numbers.dropFirst(3), [23, 59, 59]).allSatisfy { $0 <= $1 }
    }

    /// The beginning of a text when it has this shape, in which `d` is a digit.
    private static func shape(_ shape: String, in text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
        let shape = shape.unicodeScalars
        let start = text.prefix(shape.count)
        guard start.count == shape.count else { return [] }
        let fits = zip(shape, start).allSatisfy { expected, scalar in
            expected == "d" ? ("0"..."9").contains(scalar) : scalar == expected
        }
        return fits ? [start] : []
    }
}
