import Postgres

/// Finds out which database a command connects to.
struct ConnectionBuilder {
    private let report: ConfigurationProblems
    private let read: ValueReader
    private let scope: KeyScope
    /// The raw connections by their names, in the order of their appearance; the nearest level first.
    private let named: SourceMapping

    init(_ scope: KeyScope, _ report: ConfigurationProblems) {
        self.init(scope, report, named: Self.named(scope, report))
    }

    private init(_ scope: KeyScope, _ report: ConfigurationProblems, named: SourceMapping) {
        self.report = report
        read = ValueReader(report: report)
        self.scope = scope
        self.named = named
    }

    /// All named connections that can be used; one that cannot is an error only if it is the chosen one.
    ///
    /// - Parameter warns: Each that cannot be used leads to a warning.
    /// - Returns: The connections in the order of their appearance.
    func all(warns: Bool) -> [NamedConnection] {
        named.entries.compactMap { entry in
            let lenient = ConnectionBuilder(scope, ConfigurationProblems(), named: named)
            let parameters = lenient.parameters(entry.value, inside: [ByteKey(entry.key)])
            if warns {
                for problem in lenient.report.problems {
                    report.warn(
                        "the connection '\(entry.key)' cannot be used: \(problem.message)",
                        hint: problem.hint,
                        at: entry.keyPlace
                    )
                }
            }
            guard let parameters, lenient.report.problems.isEmpty else { return nil }
            return NamedConnection(name: entry.key, parameters: parameters)
        }
    }

    /// The connection of the nearest level that has one; else the named connection `default`, if there is one.
    func connection() -> ConnectionParameters? {
        for level in scope.levels {
            let values = ["url", "connection"].compactMap { level[$0] }.filter { !$0.isNull }
            guard let value = values.first else { continue }
            if values.count > 1 {
                report.warn(
                    "'url' takes precedence over 'connection' beside it",
                    hint: "remove one of them",
                    at: value.place
                )
            }
            return parameters(value, inside: [])
        }
        return named["default"].flatMap { parameters($0, inside: [ByteKey("default")]) }
    }

    private static func named(_ scope: KeyScope, _ report: ConfigurationProblems) -> SourceMapping {
        var result = SourceMapping()
        for value in scope.levels.compactMap({ $0["connections"] }) where !value.isNull {
            var names: Set<ByteKey> = []
            switch value.content {
            case .mapping(let mapping):
                for entry in mapping.entries where !entry.key.startsWithBytes(of: "x-") && result[entry.key] == nil {
                    result.set(entry.key, entry.value, keyPlace: entry.keyPlace)
                }
            case .list(let list):
                for element in list {
                    guard let name = element.mapping?["name"]?.scalar, name.kind != .null else {
                        report.add(
                            .invalidValue,
                            "an element of 'connections' must be a mapping with a 'name'",
                            at: element.place
                        )
                        continue
                    }
                    guard names.insert(ByteKey(name.text)).inserted else {
                        report.add(
                            .invalidValue,
                            "there are two connections with the name '\(name.text)'",
                            hint: "rename one of them",
                            at: element.place
                        )
                        continue
                    }
                    if result[name.text] == nil { result[name.text] = element }
                }
            case .scalar:
                report.add(.wrongType, "'connections' must be a mapping or a list, not \(value.noun)", at: value.place)
            }
        }
        return result
    }

    /// Reads a connection; `active` are the names that led to it, which must not come again.
    private func parameters(_ value: SourceValue, inside active: [ByteKey]) -> ConnectionParameters? {
        switch value.content {
        case .scalar(let scalar):
            let text = named[scalar.text] == nil ? scalar.text.withoutLastLineBreak : scalar.text
            return value.isNull ? nil : parameters(text, at: value.place, inside: active)
        case .mapping(let mapping):
            report.checkKeys(of: mapping, .connection)
            if let url = mapping["url"], !url.isNull { return parameters(url, inside: active) }
            return parameters(mapping, at: value.place)
        case .list:
            report.add(.wrongType, "a connection must be a URL, a name or a mapping, not a list", at: value.place)
            return nil
        }
    }

    private func parameters(_ text: String, at place: SourcePlace, inside active: [ByteKey]) -> ConnectionParameters? {
        let isURL = text.containsBytes(of: "://")
        if !isURL, let target = named[text] {
            guard !active.contains(ByteKey(text)) else {
                report.add(
                    .invalidReference,
                    "the connection '\(text)' is defined by itself",
                    hint: "give it a URL",
                    at: place
                )
                return nil
            }
            return parameters(target, inside: active + [ByteKey(text)])
        }
        guard isURL || text.utf8.contains(UInt8(ascii: "=")) else {
            report.add(unknownConnection(text, at: place))
            return nil
        }
        do {
            return try ConnectionParameters(url: text)
        } catch {
            report.add(.invalidValue, error.message, hint: error.hint, at: place)
            return nil
        }
    }

    private func unknownConnection(_ text: String, at place: SourcePlace) -> ConfigurationError.Problem {
        let example = "postgresql://user@host/database"
        // A URL without its scheme is not repeated, because it may hold a password.
        guard let shown = ValueReader.repeated(text) else {
            let message = "the connection is neither the name of one of 'connections' nor a URL with a scheme"
            return ConfigurationError.Problem(.invalidValue, message, hint: "write it as \(example)", at: place)
        }
        let names = named.entries.map(\.key)
        let hint: String
        if let nearest = KeySuggestion.nearest(to: text, among: names) {
            hint = "did you mean '\(nearest)'?"
        } else if names.isEmpty {
            hint = "write a URL such as \(example), or add it to 'connections'"
        } else {
            hint = "use one of \(names.map { "'\($0)'" }.joined(separator: ", ")), or a URL such as \(example)"
        }
        return ConfigurationError.Problem(.invalidValue, "there is no connection \(shown)", hint: hint, at: place)
    }

    /// libpq's keywords (Postgres documentation, 34.1.2) for the parts of an SQLAlchemy URL.
    private func parameters(_ mapping: SourceMapping, at place: SourcePlace) -> ConnectionParameters? {
        if let value = mapping["drivername"], let driver = read.text(value, "drivername") {
            let dialect = driver.split(atByte: "+").first ?? ""
            guard dialect == "postgresql" || dialect == "postgres" else {
                report.add(
                    .invalidValue,
                    ValueReader.refusal(of: driver, as: "drivername"),
                    hint: "write postgresql: databudgie works with Postgres only",
                    at: value.place
                )
                return nil
            }
        }
        var keywords: [String: String] = [:]
        if let query = mapping["query"], !query.isNull {
            guard let parts = query.mapping else {
                report.add(.wrongType, "'query' of a connection must be a mapping, not \(query.noun)", at: query.place)
                return nil
            }
            for part in parts.entries where !part.value.isNull {
                let values = part.value.list ?? [part.value]
                keywords[part.key] = values.compactMap { read.anyText($0, part.key) }.joined(separator: ",")
            }
        }
        for (key, keyword) in [
            ("username", "user"), ("password", "password"), ("host", "host"), ("port", "port"), ("database", "dbname"),
        ] {
            guard let value = mapping[key], let text = read.anyText(value, key) else { continue }
            if key == "port", !Self.isPort(text) {
                let shown = ValueReader.repeated(text) ?? value.noun
                report.add(.invalidValue, "'port' must be a number from 1 to 65535, not \(shown)", at: value.place)
            }
            // The query's parts win, as they do in SQLAlchemy: a socket's folder is there.
            if keywords[keyword] == nil { keywords[keyword] = text }
        }
        return validated(ConnectionParameters(keywords: keywords), at: place)
    }

    private func validated(_ parameters: ConnectionParameters, at place: SourcePlace) -> ConnectionParameters? {
        do {
            try parameters.validate()
            return parameters
        } catch {
            report.add(.invalidValue, error.message, hint: error.hint, at: place)
            return nil
        }
    }

    /// A port, or one for each of several hosts.
    private static func isPort(_ text: String) -> Bool {
        text.split(atByte: ",").allSatisfy { port in
            port.isEmpty || UInt16(port).map { $0 > 0 } ?? false
        }
    }
}
