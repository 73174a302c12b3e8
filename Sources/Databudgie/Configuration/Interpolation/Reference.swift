/// A reference to another place of the configuration, as it stands in a text: `{ref.backup.tables[public.*].location}`.
struct Reference {
    /// The keys and names to walk, from the root.
    let path: [String]
    /// The reference as it was written.
    let text: String

    /// A part of a text.
    enum Part {
        case text(Substring)
        case reference(Reference)
    }

    /// Splits a text at its references; `{{` is a literal brace and begins none.
    ///
    /// - Throws: ``ConfigurationError`` for a reference that is not finished.
    static func parts(of text: String, at place: SourcePlace) throws(ConfigurationError) -> [Part] {
        var parts: [Part] = []
        var textStart = text.startIndex
        var index = text.startIndex
        while index < text.endIndex {
            let rest = text[index...]
            if rest.hasPrefix("{{") {
                index = text.index(index, offsetBy: 2)
                continue
            }
            guard let head = rest.prefixMatch(of: /\$?\{ref[.:]/) else {
                index = text.index(after: index)
                continue
            }
            if textStart < index { parts.append(.text(text[textStart..<index])) }
            var parser = ReferencePathParser(text[head.range.upperBound...])
            guard let path = parser.parse() else {
                throw ConfigurationError(
                    .invalidReference,
                    "the reference '\(rest.prefix(60))' is not finished; write it as "
                        + "{ref.backup.tables[public.product].location}",
                    at: place
                )
            }
            let end = parser.position
            parts.append(.reference(Reference(path: path, text: String(text[index..<end]))))
            index = end
            textStart = end
        }
        if textStart < text.endIndex { parts.append(.text(text[textStart...])) }
        return parts
    }
}

/// Reads the steps `.key`, `."quoted key"` and `[key]` up to the closing brace.
private struct ReferencePathParser {
    private let text: Substring
    /// Behind the closing brace after a successful parse.
    private(set) var position: Substring.Index

    init(_ text: Substring) {
        self.text = text
        position = text.startIndex
    }

    private var next: Character? { position < text.endIndex ? text[position] : nil }

    /// - Returns: nil when the text ends before the reference does, or a step is empty.
    mutating func parse() -> [String]? {
        var path: [String] = []
        var step = next == "[" ? bracketed() : key()
        while true {
            guard let found = step, !found.isEmpty else { return nil }
            path.append(found)
            let separator = next
            guard separator != nil else { return nil }
            if separator == "[" {
                step = bracketed()
                continue
            }
            position = text.index(after: position)
            switch separator {
            case "}": return path
            case ".": step = next == "[" ? bracketed() : key()
            default: return nil
            }
        }
    }

    private mutating func key() -> String? {
        if next == "\"" || next == "'" { return quoted() }
        let start = position
        while let character = next, character != ".", character != "[", character != "}" {
            position = text.index(after: position)
        }
        return String(text[start..<position])
    }

    private mutating func quoted() -> String? {
        let quote = next
        position = text.index(after: position)
        let start = position
        while next != nil, next != quote { position = text.index(after: position) }
        guard next == quote else { return nil }
        defer { position = text.index(after: position) }
        return String(text[start..<position])
    }

    /// Brackets may nest, as a glob has some of its own: `[public.[ab]*]`.
    private mutating func bracketed() -> String? {
        position = text.index(after: position)
        if next == "\"" || next == "'" {
            let inside = quoted()
            guard next == "]" else { return nil }
            position = text.index(after: position)
            return inside
        }
        let start = position
        var depth = 0
        while let character = next {
            if character == "]", depth == 0 {
                defer { position = text.index(after: position) }
                return String(text[start..<position])
            }
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            position = text.index(after: position)
        }
        return nil
    }
}
