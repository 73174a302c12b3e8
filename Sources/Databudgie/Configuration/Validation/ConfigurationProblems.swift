/// What was found while a configuration was read, so that all of it can be told at once.
final class ConfigurationProblems {
    private(set) var problems: [ConfigurationError] = []
    private(set) var warnings: [String] = []

    func add(_ error: ConfigurationError) {
        problems.append(error)
    }

    func add(_ code: ConfigurationError.Code, _ message: String, at place: SourcePlace?) {
        problems.append(ConfigurationError(code, message, at: place))
    }

    /// Adds an error that was thrown without a place.
    func add(_ error: ConfigurationError, at place: SourcePlace?) {
        problems.append(ConfigurationError(error.code, error.message, at: place))
    }

    func warn(_ message: String, at place: SourcePlace) {
        let line = "\(place): \(message)"
        if !warnings.contains(line) { warnings.append(line) }
    }

    /// Tells every key that does not belong into a mapping.
    func checkKeys(of mapping: SourceMapping, _ level: ConfigurationLevel) {
        let known = Set(level.keys)
        for entry in mapping.entries where !known.contains(entry.key) && !entry.key.hasPrefix("x-") {
            if case .root = level, entry.keyPlace.source.hasPrefix(EnvironmentLayer.placePrefix) {
                // The variable may have another use, in an interpolation, say, and then only begins like ours.
                let advice = KeySuggestion.nearest(to: entry.key, among: level.keys).map { "; did you mean '\($0)'?" }
                warn("there is no key '\(entry.key)', so that it changes nothing\(advice ?? "")", at: entry.keyPlace)
                continue
            }
            add(
                .unknownKey,
                "unknown key '\(entry.key)' \(level.phrase); \(level.advice(for: entry.key))",
                at: entry.keyPlace
            )
        }
    }
}
