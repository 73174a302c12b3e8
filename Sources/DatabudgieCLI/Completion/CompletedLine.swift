import Databudgie

/// A command line that is being written, as far as completions depend on it.
struct CompletedLine {
    /// The configuration files that it names.
    private(set) var configurationFiles: [String] = []
    /// The database's URL.
    private(set) var url: String?
    /// The name of a connection.
    private(set) var connection: String?
    /// The command whose half of the configuration counts.
    private(set) var kind = RunKind.backup

    /// Reads what is there; the word that is being completed does not count.
    ///
    /// - Parameters:
    ///   - words: The words as the shell has them, quotes included.
    ///   - index: The word that is being completed.
    init(_ words: [String], completing index: Int) {
        var rest = words.enumerated().filter { $0.offset != index }.map { Self.unquoted($0.element) }[...]
        while let word = rest.popFirst() {
            if word == "restore" { kind = .restore }
            if let value = Self.value(of: ["-c", "--config"], word, &rest) { configurationFiles.append(value) }
            if let value = Self.value(of: ["-u", "--url"], word, &rest) { url = value }
            if let value = Self.value(of: ["-C", "--connection", "--conn"], word, &rest) { connection = value }
        }
    }

    /// The value of an option: the next word, or what is joined to its name.
    private static func value(of names: [String], _ word: String, _ rest: inout ArraySlice<String>) -> String? {
        if names.contains(word) { return rest.popFirst() }
        for name in names {
            let beginning = name.hasPrefix("--") ? name + "=" : name
            if word.utf8.starts(with: beginning.utf8) {
                return String(Substring(word.utf8.dropFirst(beginning.utf8.count)))
            }
        }
        return nil
    }

    /// A word without the quotes and backslashes of the shell; the last quote may still be open.
    static func unquoted(_ word: String) -> String {
        var text = String.UnicodeScalarView()
        var quote: Unicode.Scalar?
        var isEscaped = false
        for scalar in word.unicodeScalars {
            if isEscaped {
                text.append(scalar)
                isEscaped = false
            } else if scalar == "\\", quote != "'" {
                isEscaped = true
            } else if scalar == quote {
                quote = nil
            } else if quote == nil, scalar == "'" || scalar == "\"" {
                quote = scalar
            } else {
                text.append(scalar)
            }
        }
        return String(text)
    }

    /// The configuration's sources: those of the command itself, but for standard input.
    func sources(environment: [String: String]) -> ConfigurationSources {
        var overrides = ConfigurationOverrides()
        overrides.configFiles = configurationFiles.filter { $0 != "-" }
        overrides.url = url
        overrides.connection = url == nil ? connection : nil
        return ConfigurationSources(overrides: overrides, environment: environment)
    }
}
