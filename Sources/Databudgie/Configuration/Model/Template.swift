/// A text with the variables `{table}`, `{timestamp}`, `{date}` and `{ext}`; `{{` and `}}` are literal braces.
///
/// ```swift
/// let location = try Template("s3://backups/shop/{table}")
/// location.render([.table: "public.product"])  // s3://backups/shop/public.product
/// ```
public struct Template: Sendable, Hashable, CustomStringConvertible {
    /// A name between braces.
    public enum Variable: String, Sendable, CaseIterable {
        /// The table's full name; in a query its quoted identifier.
        case table
        /// The timestamp of the run in UTC, `2021-04-26T09:00:00`.
        case timestamp
        /// The day of the run in UTC, `2021-04-26`.
        case date
        /// The kind of file without its leading dot: `csv`, `csv.gz`, `csv.zst`, `json` or `sql`.
        case ext
    }

    /// A piece of the text: literal, in which doubled braces are single ones, or a variable.
    enum Part: Sendable, Equatable {
        case literal(String)
        case variable(Variable)

        var written: String {
            switch self {
            case .literal(let text): text.replacingBytes(of: "{", with: "{{").replacingBytes(of: "}", with: "}}")
            case .variable(let variable): "{\(variable.rawValue)}"
            }
        }

        static func == (first: Part, second: Part) -> Bool {
            first.written.hasBytes(of: second.written)
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

    /// The template of a path: this one as the folder, another one as what is in it.
    func appending(_ component: Template) -> Template {
        let hasSlash = if case .literal(let text) = parts.last { text.utf8.last == UInt8(ascii: "/") } else { false }
        return Template(parts: parts + (hasSlash ? [] : [.literal("/")]) + component.parts)
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
        let (opening, closing) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == opening || byte == closing else {
                literal.append(byte)
                continue
            }
            if rest.first == byte {
                rest.removeFirst()
                literal.append(byte)
                continue
            }
            guard byte == opening else {
                throw error("a '}' closes nothing", hint: "write '}}' for a literal brace", in: text)
            }
            guard let end = rest.firstIndex(of: closing) else {
                throw error("a '{' is not closed", hint: "write '{{' for a literal brace", in: text)
            }
            let name = String(decoding: rest[..<end], as: UTF8.self)
            guard let variable = Variable(rawValue: name) else {
                let known = Variable.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", ")
                throw error(
                    "unknown variable '{\(name)}'",
                    hint: "use one of \(known), or write '{{' and '}}' for literal braces",
                    in: text
                )
            }
            rest = rest[(end + 1)...]
            if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
            literal = []
            parts.append(.variable(variable))
        }
        if !literal.isEmpty { parts.append(.literal(String(decoding: literal, as: UTF8.self))) }
        return parts
    }

    private static func error(_ problem: String, hint: String, in text: String) -> ConfigurationError {
        let excerpt = text.count > 80 ? text.prefix(77) + "…" : text[...]
        return ConfigurationError(.invalidTemplate, "\(problem) (in '\(excerpt)')", hint: hint)
    }

    /// Two templates are equal when all bytes of their texts are.
    public static func == (first: Template, second: Template) -> Bool {
        first.description.hasBytes(of: second.description)
    }

    /// Hashes the bytes of the text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ByteKey(description))
    }
}
