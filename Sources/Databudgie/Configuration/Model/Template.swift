/// A text with the variables `{table}`, `{timestamp}`, `{date}` and `{ext}`; `{{` and `}}` are literal braces.
public struct Template: Sendable, Hashable, CustomStringConvertible {
    /// A name that may stand between braces.
    public enum Variable: String, Sendable, CaseIterable {
        /// The table's full name; in a query its quoted identifier.
        case table
        /// The moment of the run in UTC, `2021-04-26T09:00:00`.
        case timestamp
        /// The day of the run in UTC, `2021-04-26`.
        case date
        /// The kind of file without its leading dot: `csv`, `csv.gz`, `csv.zst`, `json` or `sql`.
        case ext
    }

    /// A piece of the text: literal, with doubled braces made single, or a variable.
    enum Part: Sendable, Hashable {
        case literal(String)
        case variable(Variable)

        var written: String {
            switch self {
            case .literal(let text): text.replacing("{", with: "{{").replacing("}", with: "}}")
            case .variable(let variable): "{\(variable.rawValue)}"
            }
        }
    }

    /// The text as it was written.
    public let description: String
    let parts: [Part]

    /// Parses a template.
    ///
    /// - Parameter text: The text with its variables.
    /// - Throws: ``ConfigurationError`` for an unknown variable or an unbalanced brace.
    public init(_ text: String) throws(ConfigurationError) {
        description = text
        parts = try Self.parse(text)
    }

    init(parts: [Part]) {
        self.parts = parts
        description = parts.map(\.written).joined()
    }

    /// The variables that occur in the text.
    public var variables: Set<Variable> {
        var variables: Set<Variable> = []
        for case .variable(let variable) in parts {
            variables.insert(variable)
        }
        return variables
    }

    /// Fills in the variables.
    ///
    /// - Parameter values: A text for each variable; one without a value stays as it is written.
    /// - Returns: The finished text.
    public func render(_ values: [Variable: String]) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .variable(let variable): text += values[variable] ?? "{\(variable.rawValue)}"
            }
        }
        return text
    }

    private static func parse(_ text: String) throws(ConfigurationError) -> [Part] {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "{" || character == "}" else {
                literal.append(character)
                continue
            }
            if rest.first == character {
                rest.removeFirst()
                literal.append(character)
                continue
            }
            guard character == "{" else {
                throw error("a '}' closes nothing; write '}}' for a literal brace", in: text)
            }
            guard let end = rest.firstIndex(of: "}") else {
                throw error("a '{' is not closed; write '{{' for a literal brace", in: text)
            }
            let name = rest[..<end]
            guard let variable = Variable(rawValue: String(name)) else {
                let known = Variable.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", ")
                throw error(
                    "there is no variable '{\(name)}'; use one of \(known), or '{{' and '}}' for literal braces",
                    in: text
                )
            }
            rest = rest[rest.index(after: end)...]
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = ""
            parts.append(.variable(variable))
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    private static func error(_ problem: String, in text: String) -> ConfigurationError {
        let excerpt = text.count > 80 ? text.prefix(77) + "…" : text[...]
        return ConfigurationError(.invalidTemplate, "\(problem) (in '\(excerpt)')")
    }
}
