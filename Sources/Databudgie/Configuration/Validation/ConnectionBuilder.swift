import Postgres

/// Finds out which database a command connects to.
struct ConnectionBuilder {
    private let report: ConfigurationReport
    private let read: ValueReader
    private let scope: KeyScope
    /// The raw connections by their names, in the order of their appearance; the nearest level first.
    private let named: SourceMapping

    init(_ scope: KeyScope, _ report: ConfigurationReport) {
        self.init(scope, report, named: Self.named(scope, report))
    }

    private init(_ scope: KeyScope, _ report: ConfigurationReport, named: SourceMapping) {
        self.report = report
        read = ValueReader(report: report)
        self.scope = scope
        self.named = named
    }

    /// All named connections that can be used; one that cannot is an error only where it is the chosen one.
    ///
    /// - Parameter warns: A warning tells about each that cannot be used.
    /// - Returns: The connections in the order of their appearance.
    func all(warns: Bool) -> [NamedConnection] {
        named.entries.compactMap { entry in
            let lenient = ConnectionBuilder(scope, ConfigurationReport(), named: named)
            let parameters = lenient.parameters(entry.value, inside: [entry.key])
            if warns {
                for problem in lenient.report.problems {
                    report.warn("the connection '\(entry.key)' cannot be used: \(problem.message)", at: entry.keyPlace)
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
                report.warn("'url' is used, and 'connection' beside it is not; remove one of them", at: value.place)
            }
            return parameters(value, inside: [])
        }
        return named["default"].flatMap { parameters($0, inside: ["default"]) }
    }

    private static func named(_ scope: KeyScope, _ report: ConfigurationReport) -> SourceMapping {
        var result = SourceMapping()
        for value in scope.levels.compactMap({ $0["connections"] }) where !value.isNull {
            var names: Set<String> = []
            switch value.content {
            case .mapping(let mapping):
                for entry in mapping.entries where !entry.key.hasPrefix("x-") && result[entry.key] == nil {
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
                    guard names.insert(name.text).inserted else {
                        report.add(
                            .invalidValue,
                            "there are two connections with the name '\(name.text)'; rename one of them",
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
    private func parameters(_ value: SourceValue, inside active: [String]) -> ConnectionParameters? {
        switch value.content {
        case .scalar(let scalar): return value.isNull ? nil : parameters(scalar.text, at: value.place, inside: active)
        case .mapping(let mapping):
            report.checkKeys(of: mapping, .connection)
            if let url = mapping["url"], !url.isNull { return parameters(url, inside: active) }
            return parameters(mapping, at: value.place)
        case .list:
            report.add(.wrongType, "a connection must be a URL, a name or a mapping, not a list", at: value.place)
            return nil
        }
    }

    private func parameters(_ text: String, at place: SourcePlace, inside active: [String]) -> ConnectionParameters? {
        if let target = named[text], !text.utf8.contains("://".utf8) {
            guard !active.contains(text) else {
                report.add(.invalidReference, "the connection '\(text)' is defined by itself; give it a URL", at: place)
                return nil
            }
            return parameters(target, inside: active + [text])
        }
        guard text.utf8.contains("://".utf8) || text.utf8.contains(UInt8(ascii: "=")) else {
            let names = named.entries.map(\.key)
            let advice: String
            if let nearest = KeySuggestion.nearest(to: text, among: names) {
                advice = "did you mean '\(nearest)'?"
            } else if names.isEmpty {
                advice = "write a URL such as postgresql://user@host/database, or add it to 'connections'"
            } else {
                advice = "the known ones are \(names.map { "'\($0)'" }.joined(separator: ", "))"
            }
            report.add(.invalidValue, "there is no connection '\(text)'; \(advice)", at: place)
            return nil
        }
        do {
            return try ConnectionParameters(url: text)
        } catch {
            report.add(.invalidValue, error.description, at: place)
            return nil
        }
    }

    /// libpq's keywords (Postgres documentation, 34.1.2) for the parts of an SQLAlchemy URL.
    private func parameters(_ mapping: SourceMapping, at place: SourcePlace) -> ConnectionParameters? {
        if let value = mapping["drivername"], let driver = read.text(value, "drivername") {
            let dialect = driver.split(separator: "+").first ?? ""
            guard dialect == "postgresql" || dialect == "postgres" else {
                report.add(
                    .invalidValue,
                    "'drivername' cannot be '\(driver)'; databudgie works with Postgres: write postgresql",
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
                report.add(.invalidValue, "'port' must be a number from 1 to 65535, not '\(text)'", at: value.place)
            }
            // The query's parts win, as they do in SQLAlchemy: a socket's folder stands there.
            if keywords[keyword] == nil { keywords[keyword] = text }
        }
        return ConnectionParameters(keywords: keywords)
    }

    /// A port, or one for each of several hosts.
    private static func isPort(_ text: String) -> Bool {
        text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { port in
            port.isEmpty || UInt16(port).map { $0 > 0 } ?? false
        }
    }
}
