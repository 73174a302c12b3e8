/// The languages a configuration can be written in.
public enum ConfigurationFormat: String, Sendable, CaseIterable {
    /// YAML 1.2, as one document.
    case yaml
    /// YAML under its other name.
    case yml
    /// JSON as RFC 8259 defines it.
    case json
    /// TOML 1.0.
    case toml

    /// How deep lists and mappings can nest; the readers are recursive.
    static let deepestNesting = 100

    /// Reads a whole text.
    ///
    /// - Parameters:
    ///   - text: The configuration.
    ///   - source: Its name in messages.
    /// - Returns: The mapping at its top; an empty one for a text without content.
    /// - Throws: ``ConfigurationError`` with the line, when the text is malformed or its top is not a mapping.
    func read(_ text: String, source: String) throws(ConfigurationError) -> SourceMapping {
        let place = SourcePlace(source, line: 1, format: self)
        // Editors of Windows begin files with a byte order mark; none of the formats gives it a meaning.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        let root: SourceValue
        switch self {
        case .yaml, .yml: root = try YAMLReader(source: source).read(text)
        case .json: root = try JSONReader.read(text, source: source)
        case .toml: root = try TOMLReader(source: source).read(text)
        }
        switch root.content {
        case .mapping(let mapping): return mapping
        case .scalar(let scalar) where scalar.kind == .null: return SourceMapping()
        default:
            throw ConfigurationError(
                .wrongType,
                "the configuration must be a mapping of keys, not \(root.noun)",
                at: root.place.line == nil ? place : root.place
            )
        }
    }
}
