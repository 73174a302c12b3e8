import FoundationEssentials

/// Reads raw values as what a key expects, and reports those that are something else.
///
/// Each function returns nil for null and for a value that it has reported.
struct ValueReader {
    let report: ConfigurationProblems

    private func wrongType(_ key: String, _ expected: String, _ value: SourceValue) {
        report.add(.wrongType, "'\(key)' must be \(expected), not \(value.noun)", at: value.place)
    }

    /// A string; a number counts as one.
    func text(_ value: SourceValue?, _ key: String) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let scalar = value.scalar, scalar.kind != .bool else {
            wrongType(key, "a string", value)
            return nil
        }
        return scalar.text.withoutLastLineBreak
    }

    /// A string that cannot be a number: SQL, a name with a dot, a URL.
    func string(_ value: SourceValue?, _ key: String) -> String? {
        guard let value, value.scalar?.kind == .number else { return text(value, key) }
        wrongType(key, "a string", value)
        return nil
    }

    /// A string whose every byte counts: the name of a table may end in a line break.
    func name(_ value: SourceValue?, _ key: String) -> String? {
        text(value, key).flatMap { _ in value?.scalar?.text }
    }

    /// A string, whatever it looks like: a password may be `true`.
    func anyText(_ value: SourceValue?, _ key: String) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let scalar = value.scalar else {
            wrongType(key, "a string", value)
            return nil
        }
        return scalar.text
    }

    /// A boolean; null is false, as for databudgie 2.9.3.
    func bool(_ value: SourceValue?, _ key: String, expected: String = "true or false") -> Bool? {
        guard let value else { return nil }
        guard let scalar = value.scalar else {
            wrongType(key, expected, value)
            return nil
        }
        let word = scalar.text.withoutLastLineBreak.lowercased()
        if scalar.kind == .null || Self.falseWords.contains(word) { return false }
        if scalar.kind == .untyped || Self.trueWords.contains(word) { return true }
        let shown = Self.repeated(scalar.text) ?? value.noun
        report.add(.wrongType, "'\(key)' must be \(expected), not \(shown)", at: value.place)
        return nil
    }

    private static let falseWords: Set = ["", "0", "false", "no", "off"]
    private static let trueWords: Set = ["1", "true", "yes", "on"]

    /// A number of seconds, not negative, of which the server can keep the milliseconds (Postgres documentation, 20.1.1).
    func seconds(_ value: SourceValue?, _ key: String) -> Double? {
        guard let value, !value.isNull else { return nil }
        guard let scalar = value.scalar, let number = Double(scalar.text.replacing("_", with: "")), number >= 0,
            number.isFinite
        else {
            report.add(.wrongType, "'\(key)' must be a number of seconds", at: value.place)
            return nil
        }
        guard number * 1_000 <= Double(Int32.max) else {
            report.add(
                .invalidValue,
                "'\(key)' cannot be more than \(Int32.max / 1_000) seconds",
                hint: "write 0 for no limit",
                at: value.place
            )
            return nil
        }
        return number
    }

    /// A whole number, not negative.
    func number(_ value: SourceValue?, _ key: String) -> Int? {
        guard let value, !value.isNull else { return nil }
        let text = value.scalar?.text.withoutLastLineBreak
        if let text, let number = Int(text.replacing("_", with: "")), number >= 0 { return number }
        report.add(
            .wrongType,
            "'\(key)' must be a whole number, not \(text.flatMap(Self.repeated) ?? value.noun)",
            at: value.place
        )
        return nil
    }

    /// How many tables are exported, or groups of them loaded, at once.
    func jobs(_ value: SourceValue) -> Int? {
        guard let number = number(value, "jobs") else { return nil }
        if (1...BackupConfiguration.mostJobs).contains(number) { return number }
        report.add(
            .invalidValue,
            "'jobs' must be a number from 1 to \(BackupConfiguration.mostJobs), not \(number)",
            at: value.place
        )
        return nil
    }

    /// A list of strings.
    func texts(_ value: SourceValue?, _ key: String) -> [String]? {
        guard let value, !value.isNull else { return nil }
        guard let list = value.list else {
            wrongType(key, "a list", value)
            return nil
        }
        return list.compactMap { element in
            if element.isNull { wrongType(key, "a list of strings", element) }
            return name(element, key)
        }
    }

    /// A mapping whose keys are names of the user's.
    func mapping(_ value: SourceValue?, _ key: String) -> SourceMapping? {
        guard let value, !value.isNull else { return nil }
        guard let mapping = value.mapping else {
            wrongType(key, "a mapping", value)
            return nil
        }
        return mapping
    }

    /// A mapping; its keys are checked.
    func mapping(_ value: SourceValue?, _ key: String, _ level: ConfigurationLevel) -> SourceMapping? {
        guard let mapping = mapping(value, key) else { return nil }
        report.checkKeys(of: mapping, level)
        return mapping
    }

    /// Whether `ddl` is on: by the nearest level that says so, because a mapping may have other keys only.
    ///
    /// - Returns: nil when no level says it.
    func includesDefinitions(_ scope: KeyScope) -> Bool? {
        for level in scope.levels {
            guard let value = level["ddl"] else { continue }
            guard value.mapping != nil else { return bool(value, "ddl", expected: "true, false or a mapping") }
            guard let enabled = mapping(value, "ddl", .ddl)?["enabled"] else { continue }
            return bool(enabled, "enabled")
        }
        return nil
    }

    /// One of some words.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: SourceValue?,
        _ key: String,
        _ type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        guard let value, let text = text(value, key) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let nearest = KeySuggestion.nearest(to: text, among: words).map { "did you mean '\($0)'?" }
        report.add(
            .invalidValue,
            Self.refusal(of: text, as: key),
            hint: nearest ?? "use one of \(words.joined(separator: ", "))",
            at: value.place
        )
        return nil
    }

    /// A template.
    func template(_ value: SourceValue?, _ key: String) -> Template? {
        guard let value, let text = string(value, key) else { return nil }
        return template(text, key, at: value.place)
    }

    /// A template from a text that was composed already.
    func template(_ text: String, _ key: String, at place: SourcePlace?) -> Template? {
        do {
            return try Template(text)
        } catch {
            report.add(.invalidTemplate, "'\(key)': \(error.message)", hint: error.hint, at: place)
            return nil
        }
    }

    /// A text in quotes, for a message; nil when it could be a URL with a password in it.
    static func repeated(_ text: String) -> String? {
        text.utf8.contains { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "@") } ? nil : "'\(text)'"
    }

    /// Says that a key cannot have a value.
    static func refusal(of text: String, as key: String) -> String {
        repeated(text).map { "'\(key)' cannot be \($0)" } ?? "'\(key)' cannot have this value"
    }
}

extension String {
    /// The text without the line break that ends a block of YAML (`|`, `>`) or a line of a file.
    var withoutLastLineBreak: String {
        var text = utf8[...]
        if text.last == UInt8(ascii: "\n") { text.removeLast() }
        if text.last == UInt8(ascii: "\r"), text.count < utf8.count { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }
}
