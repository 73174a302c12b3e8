/// Reads the mask of a column: a word, or a mapping with the mask's name among its keys.
struct MaskReader {
    let read: ValueReader
    /// The column's name or glob, for messages.
    let column: String

    var report: ConfigurationProblems { read.report }

    /// The keys beside the name of a mask.
    private static let options = ConfigurationKey.ofMaskOptions.map(\.name)

    /// Reads a mask.
    ///
    /// - Parameter value: `email`, `{mask: email, by: id}` or `{shift: 30 days, by: id}`; null is the mask `null`.
    /// - Returns: The mask; nil when it was reported.
    func mask(_ value: SourceValue) -> Mask? {
        if value.isNull { return Mask(.null) }
        if let mapping = value.mapping { return mask(mapping, at: value.place) }
        guard let scalar = value.scalar, scalar.kind == .string || scalar.kind == .untyped else {
            report.add(
                .wrongType,
                "the mask of \(quoted(column)) must be a name or a mapping, not \(value.noun)",
                at: value.place
            )
            return nil
        }
        return kind(named: scalar.text.withoutLastLineBreak, nil, at: value.place).map { Mask($0) }
    }

    private func mask(_ mapping: SourceMapping, at place: SourcePlace) -> Mask? {
        let names = mapping.entries.filter { !$0.key.startsWithBytes(of: "x-") }
            .filter { entry in !Self.options.contains { entry.key.hasBytes(of: $0) } }
        guard let entry = names.first, names.count == 1 else {
            let found = names.isEmpty ? "names none" : "names \(names.map(\.key).listed())"
            report.add(
                .invalidValue,
                "the mask of \(quoted(column)) must name one mask, and \(found)",
                hint: "write {mask: email, by: id}, for example",
                at: place
            )
            return nil
        }
        var kind: Mask.Kind?
        if entry.key.hasBytes(of: "mask") {
            if entry.value.isNull {
                kind = .null
            } else if let name = read.text(entry.value, "mask") {
                kind = self.kind(named: name, nil, at: entry.value.place)
            }
        } else {
            kind = self.kind(named: entry.key, entry.value, at: entry.keyPlace)
        }
        guard var kind else { return nil }
        if case .sql(let text, _) = kind { kind = .sql(text, isUnique: read.bool(mapping["unique"], "unique") == true) }
        let mask = Mask(
            kind,
            by: read.name(mapping["by"], "by"),
            context: read.text(mapping["context"], "context"),
            locale: read.choice(mapping["locale"], "locale", NameLocale.self) ?? .english
        )
        checkOptions(of: mask, mapping)
        return mask
    }

    /// Reports options that a mask does not have: they would change nothing.
    private func checkOptions(of mask: Mask, _ mapping: SourceMapping) {
        var known: [String] = []
        switch mask.kind {
        case .name: known = ["by", "context", "locale"]
        case .sql: known = ["unique"]
        case .each, .paths: break
        default: if mask.isKeyed { known = ["by", "context"] }
        }
        for key in Self.options where mapping[key] != nil && !known.contains(key) {
            report.add(
                .invalidValue,
                "'\(key)' has no effect on the mask '\(mask.name)' of \(quoted(column))",
                hint: known.isEmpty
                    ? "remove it" : "remove it; the mask has \(known.map { "'\($0)'" }.joined(separator: ", "))",
                at: mapping.keyPlace(key)
            )
        }
    }

    /// The mask of a name, with the value that it has as a key of a mapping.
    private func kind(named name: String, _ value: SourceValue?, at place: SourcePlace) -> Mask.Kind? {
        let argument = value.flatMap { $0.isNull ? nil : $0 }
        if let kind = plainKind(named: name) {
            // `{email: }` and `{email: true}` say no more than `email`.
            guard let argument, argument.scalar?.text.hasBytes(of: "true") != true else { return kind }
            return refused(name, "takes no value", hint: "write {mask: \(name)}", at: argument.place)
        }
        if let kind = NameKind(rawValue: name) {
            guard let argument else { return .name(kind) }
            return refused(name, "takes no value", hint: "write {mask: \(name)}", at: argument.place)
        }
        guard Mask.names.contains(where: { name.hasBytes(of: $0) }) else {
            let nearest = KeySuggestion.nearest(to: name, among: Mask.names).map { "did you mean '\($0)'?" }
            report.add(
                .invalidValue,
                "there is no mask \(quoted(name)), which \(quoted(column)) has",
                hint: nearest ?? "use one of \(Mask.names.joined(separator: ", "))",
                at: place
            )
            return nil
        }
        return kindWithArgument(name, argument, at: place)
    }

    private func plainKind(named name: String) -> Mask.Kind? {
        switch name {
        case "keep": .keep
        case "null": .null
        case "hash": .hash
        case "email": .email
        case "digits": .digits
        case "scramble": .scramble
        case "filler": .filler
        case "ip": .ip
        default: nil
        }
    }

    private func kindWithArgument(_ name: String, _ value: SourceValue?, at place: SourcePlace) -> Mask.Kind? {
        if let value {
            switch name {
            case "value": return read.anyText(value, "value").map { .value($0) }
            case "shift": return shift(value)
            case "truncate": return read.choice(value, "truncate", Mask.DateUnit.self).map { .truncate($0) }
            case "noise": return noise(value)
            case "redact": return redact(value)
            case "choose": return choose(value)
            case "each": return each(value)
            case "paths": return paths(value)
            case "keep_paths": return keepPaths(value)
            case "sql": return sql(value)
            default: return nil
            }
        }
        switch name {
        case "redact": return .redact(first: 0, last: 0)
        case "choose": return .choose(nil)
        case "value": return .null
        default: return refused(name, "needs a value", hint: Self.examples[name].map { "write \($0)" }, at: place)
        }
    }

    private static let examples = [
        "shift": "{shift: 30 days}", "truncate": "{truncate: year}", "noise": "{noise: 10%}", "each": "{each: hash}",
        "paths": "{paths: {user.email: email}}", "keep_paths": "{keep_paths: [user.plan]}",
        "sql": "{sql: \"'L' || right(code, 2)\"}",
    ]

    /// Says that a mask cannot be what it is here.
    func refused(_ name: String, _ reason: String, hint: String?, at place: SourcePlace) -> Mask.Kind? {
        report.add(.invalidValue, "the mask '\(name)' of \(quoted(column)) \(reason)", hint: hint, at: place)
        return nil
    }

    /// A name in quotes; a name with a line break stays in one line, as all of a message does.
    private func quoted(_ text: String) -> String { ValueReader.repeated(text) ?? "the column" }
}
