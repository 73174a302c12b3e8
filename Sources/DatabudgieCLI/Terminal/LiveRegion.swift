/// The lines at the bottom of the terminal that are drawn over again and again.
///
/// The cursor always rests at the start of the line below them and is never hidden, so nothing has to be restored
/// when the program is stopped, killed or suspended.
struct LiveRegion {
    private var lines: [String] = []

    /// The text that replaces the lines by new ones.
    ///
    /// - Parameters:
    ///   - newLines: Lines that are shorter than the terminal is wide.
    ///   - width: Columns of the terminal now; it may have been resized since the lines were drawn.
    /// - Returns: Escape codes and the lines, to be written at once.
    mutating func redraw(_ newLines: [String], width: Int) -> String {
        let text = toTheTop(width: width) + newLines.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J"
        lines = newLines
        return text
    }

    /// The text that takes the lines away, for other text in their place.
    mutating func clear(width: Int) -> String {
        guard !lines.isEmpty else { return "" }
        let text = toTheTop(width: width) + "\u{1B}[J"
        lines = []
        return text
    }

    /// Moves the cursor to the first line; a line that a narrower terminal has wrapped counts more than once.
    private func toTheTop(width: Int) -> String {
        let rows = lines.reduce(0) { $0 + max(1, ($1.withoutEscapeCodes.terminalWidth + width - 1) / max(1, width)) }
        return rows == 0 ? "" : "\r\u{1B}[\(rows)A"
    }
}

extension String {
    /// The text without the colours of ``TextStyle``.
    fileprivate var withoutEscapeCodes: String {
        guard contains("\u{1B}") else { return self }
        var result = ""
        var isInCode = false
        for character in self {
            if character == "\u{1B}" { isInCode = true }
            if !isInCode { result.append(character) }
            if isInCode, character == "m" { isInCode = false }
        }
        return result
    }
}
