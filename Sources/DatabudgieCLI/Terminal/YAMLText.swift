/// Values as YAML writes them.
enum YAMLText {
    /// A double-quoted scalar in one line (YAML 1.2.2, 7.3.1).
    ///
    /// - Parameter text: Any text.
    /// - Returns: The text between quotes, with escapes for what ends a line, is invisible or would end the scalar.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where isEscaped(scalar):
                let digits = String(scalar.value, radix: 16)
                let (letter, width) = digits.utf8.count > 4 ? ("U", 8) : ("u", 4)
                result += "\\\(letter)" + String(repeating: "0", count: width - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// What ends a line, is invisible, or is nothing that a YAML file can have.
    private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: scalar.properties.isNoncharacterCodePoint
        }
    }
}
