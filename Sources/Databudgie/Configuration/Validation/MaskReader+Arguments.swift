/// What masks need besides their names.
extension MaskReader {
    func shift(_ value: SourceValue) -> Mask.Kind? {
        guard let text = read.text(value, "shift") else { return nil }
        guard let shift = MaskShift(text) else {
            return refused(
                "shift",
                "needs a length of time",
                hint: "write a number of seconds, minutes, hours, days or weeks, at most 36525 days: {shift: 30 days}",
                at: value.place
            )
        }
        return .shift(shift)
    }

    func noise(_ value: SourceValue) -> Mask.Kind? {
        guard let text = read.text(value, "noise") else { return nil }
        let hasSign = text.utf8.last == UInt8(ascii: "%")
        let number = Double(String(decoding: hasSign ? text.utf8.dropLast() : text.utf8[...], as: UTF8.self))
        guard hasSign, let number, number > 0, number <= 100 else {
            return refused(
                "noise",
                "needs a percentage",
                hint: "write more than 0% and at most 100%: {noise: 10%}",
                at: value.place
            )
        }
        return .noise(percent: number)
    }

    func redact(_ value: SourceValue) -> Mask.Kind? {
        guard let mapping = read.mapping(value, "redact", .redact) else { return nil }
        func count(_ key: String) -> Int? {
            guard let value = mapping[key], let text = read.text(value, key) else { return 0 }
            if let number = Int(text), (0...1_000).contains(number) { return number }
            _ = refused(
                "redact",
                "needs a number of characters under '\(key)'",
                hint: "from 0 to 1000",
                at: value.place
            )
            return nil
        }
        guard let first = count("first"), let last = count("last") else { return nil }
        return .redact(first: first, last: last)
    }

    func choose(_ value: SourceValue) -> Mask.Kind? {
        guard let list = value.list else {
            return refused("choose", "needs a list of values", hint: "write {choose: [a, b]}", at: value.place)
        }
        let choices = list.compactMap { $0.isNull ? nil : read.anyText($0, "choose") }
        guard !choices.isEmpty, choices.count == list.count else {
            return refused(
                "choose",
                "needs a list of values, and no null",
                hint: "write {choose: [a, b]}",
                at: value.place
            )
        }
        return .choose(choices)
    }

    func each(_ value: SourceValue) -> Mask.Kind? {
        guard let mask = mask(value) else { return nil }
        switch mask.kind {
        case .sql, .paths, .keepPaths, .each:
            return refused(
                "each",
                "cannot have '\(mask.name)' inside it",
                hint: "use sql for the array",
                at: value.place
            )
        default: return .each(mask)
        }
    }

    func paths(_ value: SourceValue) -> Mask.Kind? {
        guard let mapping = value.mapping, !mapping.isEmpty else {
            return refused(
                "paths",
                "needs a mapping of paths to masks",
                hint: "write {paths: {user.email: email}}",
                at: value.place
            )
        }
        let problems = report.problems.count
        let paths = mapping.entries.compactMap { entry -> Mask.MaskedPath? in
            guard let path = path(entry.key, of: "paths", at: entry.keyPlace), let mask = mask(entry.value) else {
                return nil
            }
            switch mask.kind {
            case .keep, .null, .value, .hash, .email, .name, .digits, .scramble, .redact, .filler, .choose(_?):
                return Mask.MaskedPath(path, mask)
            default:
                _ = refused(
                    "paths",
                    "cannot have '\(mask.name)' inside it",
                    hint: "use a mask of text, null or value",
                    at: entry.value.place
                )
                return nil
            }
        }
        return report.problems.count == problems ? .paths(paths) : nil
    }

    func keepPaths(_ value: SourceValue) -> Mask.Kind? {
        let problems = report.problems.count
        let paths = (read.texts(value, "keep_paths") ?? []).compactMap { text -> JSONPath? in
            guard let path = path(text, of: "keep_paths", at: value.place) else { return nil }
            let isOfKeys = path.steps.allSatisfy { if case .key = $0 { true } else { false } }
            if !isOfKeys {
                _ = refused(
                    "keep_paths",
                    "cannot keep elements of arrays: '\(text)'",
                    hint: "name the array, which is kept whole, or mask parts of it with paths",
                    at: value.place
                )
            }
            return isOfKeys ? path : nil
        }
        return report.problems.count == problems ? .keepPaths(paths) : nil
    }

    func sql(_ value: SourceValue) -> Mask.Kind? {
        guard let text = read.string(value, "sql") else { return nil }
        guard !text.utf8.allSatisfy({ " \t\r\n".utf8.contains($0) }) else {
            return refused("sql", "needs an expression", hint: "write {sql: \"left(code, 2)\"}", at: value.place)
        }
        return .sql(text, isUnique: false)
    }

    private func path(_ text: String, of name: String, at place: SourcePlace) -> JSONPath? {
        if let path = JSONPath(text) { return path }
        _ = refused(
            name,
            "cannot read the path '\(text)'",
            hint: "write keys with dots between them, [0] for an element and [*] for all: items[*].owner",
            at: place
        )
        return nil
    }
}
