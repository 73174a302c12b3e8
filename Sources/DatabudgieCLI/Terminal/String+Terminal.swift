/// Text made fit for a terminal: no control characters, and lengths in columns rather than characters.
extension String {
    /// The text with every character that a terminal would act upon, or that would break the line, spelled out.
    ///
    /// Table names, paths and server messages come from others; an escape sequence in one of them must not move the
    /// cursor, change colours or hide text.
    var escapedForTerminal: String {
        guard unicodeScalars.contains(where: \.isUnsafeOnTerminal) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case let scalar where scalar.isUnsafeOnTerminal:
                result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// JSON with JSON's own escapes for the characters that a terminal would act upon; they can only be in its strings.
    var escapedInJSON: String {
        guard unicodeScalars.contains(where: \.isUnsafeOnTerminal) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            guard scalar.isUnsafeOnTerminal else {
                result.unicodeScalars.append(scalar)
                continue
            }
            // None of them is beyond the Basic Multilingual Plane.
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
        return result
    }

    /// The number of columns that the text takes on a terminal.
    var terminalWidth: Int {
        reduce(0) { $0 + $1.terminalWidth }
    }

    /// The text, or its beginning and its end around an ellipsis when it takes more than `width` columns.
    func truncatedInMiddle(to width: Int) -> String {
        guard terminalWidth > width else { return self }
        guard width > 1 else { return width == 1 ? "…" : "" }
        let head = prefixFitting((width - 1) / 2)
        let tail = String(String(reversed()).prefixFitting(width - 1 - head.terminalWidth).reversed())
        return head + "…" + tail
    }

    /// The beginning of the text that fits into `width` columns.
    func prefixFitting(_ width: Int) -> String {
        var remaining = width
        return String(
            prefix { character in
                remaining -= character.terminalWidth
                return remaining >= 0
            }
        )
    }

    /// The text with spaces after it, `width` columns in all.
    func paddedRight(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - terminalWidth))
    }

    /// The text with spaces before it, `width` columns in all.
    func paddedLeft(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - terminalWidth)) + self
    }
}

extension Character {
    /// Columns on a terminal: 2 for East Asian wide characters and emoji, 0 for marks alone, otherwise 1.
    fileprivate var terminalWidth: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        if scalar.isASCII { return 1 }
        if unicodeScalars.contains(where: \.isWide) { return 2 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return 1
        }
    }
}

extension Unicode.Scalar {
    /// A control character, a line separator, or a mark that changes the direction of the text after it.
    fileprivate var isUnsafeOnTerminal: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// Shown two columns wide (the blocks that are wide as a whole in Unicode's EastAsianWidth.txt, and emoji).
    fileprivate var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE0F, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
