import Foundation

/// Strings as values of a configuration in YAML, in which `<% ENV[NAME] %>` and `{ref.key}` would mean something else.
///
/// Nothing but a reference to a note escapes those: what it leads to is inserted, and what was inserted is not searched again.
enum ConfigurationText {
    /// The notes, and the characters that they stand for.
    private static let notes: [(name: String, character: Unicode.Scalar)] = [
        ("x-less", "<"), ("x-brace", "{"), ("x-dollar", "$"),
    ]

    /// A value that means just the text, as a double-quoted scalar.
    ///
    /// - Parameter text: Any text.
    /// - Returns: The scalar; one that refers to a note needs ``notes(for:)`` at the root.
    static func quoted(_ text: String) -> String {
        let isSpecial = ["<%", "{ref.", "{ref:"].contains { text.utf8.contains($0.utf8) }
        guard isSpecial else { return YAMLText.quoted(text) }
        // All of them, as '{{' and '${' around a reference are read with it.
        var result = ""
        for scalar in text.unicodeScalars {
            if let note = notes.first(where: { $0.character == scalar }) {
                result += "{ref.\(note.name)}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return YAMLText.quoted(result)
    }

    /// The notes that values refer to.
    ///
    /// - Parameter lines: Lines of the configuration.
    /// - Returns: Lines for its root; none when nothing had to be escaped.
    static func notes(for lines: [String]) -> [String] {
        let needed = notes.filter { note in lines.contains { $0.utf8.contains("{ref.\(note.name)}".utf8) } }
        guard !needed.isEmpty else { return [] }
        return ["# Characters of names that would begin an interpolation or a reference."]
            + needed.map { "\($0.name): \(YAMLText.quoted(String($0.character)))" }
    }
}
