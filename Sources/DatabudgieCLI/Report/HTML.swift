/// A piece of HTML: whatever comes from outside is escaped, because only names that are written in the program are not.
///
/// It is well-formed XML as well, so SVG can be part of it.
struct HTML: Sendable {
    /// The markup.
    private(set) var markup: String

    /// Text, of which nothing acts as markup.
    init(_ text: String) {
        markup = Self.escaped(text)
    }

    private init(markup: String) {
        self.markup = markup
    }

    /// An element with its content.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - attributes: Names and values of its attributes, the values as text.
    ///   - content: What is in it.
    /// - Returns: The element.
    static func element(
        _ name: StaticString,
        _ attributes: KeyValuePairs<StaticString, String> = [:],
        _ content: [HTML] = []
    ) -> HTML {
        var markup = "<\(name)"
        for (name, value) in attributes { markup += " \(name)=\"\(escaped(value))\"" }
        guard !isVoid(name) else { return HTML(markup: markup + " />") }
        markup += ">"
        for piece in content { markup += piece.markup }
        return HTML(markup: markup + "</\(name)>")
    }

    /// An element with text in it.
    static func element(
        _ name: StaticString,
        _ attributes: KeyValuePairs<StaticString, String> = [:],
        text: String
    ) -> HTML {
        element(name, attributes, [HTML(text)])
    }

    /// A style sheet that is written in the program.
    static func style(_ sheet: StaticString) -> HTML {
        HTML(markup: "<style>\(sheet)</style>")
    }

    /// Several pieces, one a line.
    static func lines(_ pieces: [HTML]) -> HTML {
        HTML(markup: pieces.map { $0.markup + "\n" }.joined())
    }

    /// A whole document.
    var document: String { "<!DOCTYPE html>\n\(markup)\n" }

    /// Elements without content (HTML Living Standard, 13.1.2 "Elements"), as far as they are used.
    private static func isVoid(_ name: StaticString) -> Bool {
        ["meta", "link", "br", "col"].contains("\(name)")
    }

    /// - Returns: The text as it can be in an element or in quotes; what no document may have is replaced.
    private static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            case "\n", "\t": result.append(scalar)
            // Controls, also those that turn the direction of what follows, and what is not a character.
            case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{FFFE}",
                "\u{FFFF}":
                result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
