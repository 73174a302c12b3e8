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
            case _
            where scalar.properties.generalCategory == .control || scalar.value == 0x85
                || scalar.value == 0x2028 || scalar.value == 0x2029 || scalar.value == 0xFEFF:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
