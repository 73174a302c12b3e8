/// What was found while a configuration was read, for one report of all of it.
final class ConfigurationProblems {
    private(set) var problems: [ConfigurationError.Problem] = []
    private(set) var warnings: [Finding] = []

    func add(_ problem: ConfigurationError.Problem) {
        problems.append(problem)
    }

    func add(_ code: ConfigurationError.Code, _ message: String, hint: String? = nil, at place: SourcePlace?) {
        add(ConfigurationError.Problem(code, message, hint: hint, at: place))
    }

    func warn(_ message: String, hint: String? = nil, at place: SourcePlace) {
        let problem = ConfigurationError.Problem(.invalidValue, message, hint: hint, at: place)
        let warning = Finding(.warning, problem.messageWithPlace, hint: problem.hint)
        let isKnown = warnings.contains { $0.description.hasBytes(of: warning.description) }
        if !isKnown { warnings.append(warning) }
    }

    /// Reports every key that does not belong in a mapping.
    func checkKeys(of mapping: SourceMapping, _ level: ConfigurationLevel) {
        for entry in mapping.entries
        where !ConfigurationKey.isKnown(entry.key, in: level) && !entry.key.startsWithBytes(of: "x-") {
            if case .root = level, entry.keyPlace.source.startsWithBytes(of: EnvironmentLayer.placePrefix) {
                // The variable may have another use, in an interpolation, say, and then only begins like ours.
                let names = ConfigurationKey.keys(in: level).map(\.name)
                let nearest = KeySuggestion.nearest(to: entry.key, among: names)
                warn(
                    "unknown key '\(entry.key)' is ignored",
                    hint: nearest.map { "did you mean '\($0)'?" },
                    at: entry.keyPlace
                )
                continue
            }
            // A URL may have been written where a key is expected.
            let name = ValueReader.repeated(entry.key).map { "key \($0)" } ?? "key"
            add(
                .unknownKey,
                "unknown \(name) \(level.phrase)",
                hint: level.advice(for: entry.key),
                at: entry.keyPlace
            )
        }
    }
}
