/// Errors of the server without the values of rows that it quotes: messages end up in logs, tickets and mails.
extension PostgresError {
    /// Removes every value of a row; the names, the line and the column remain.
    ///
    /// By SQLSTATE and punctuation rather than words, because the server may speak any language (Postgres documentation,
    /// appendix A).
    mutating func removeRowValues() {
        let state = sqlState ?? ""
        switch state {
        case _ where state.hasPrefix("22"): removeDataValues(state)
        // Unique, foreign-key and exclusion constraints: `Key (email)=(…) already exists.`
        case "23503", "23505", "23P01": detail = detail.map(Self.withoutKey)
        // Others say `Failing row contains (…)`.
        case "23000", "23001", "23502", "23514", "44000": detail = nil
        default: break
        }
        context = context.map(Self.withoutValues)
    }

    /// A value that is not of its column's type is quoted in the message itself.
    private mutating func removeDataValues(_ state: String) {
        switch state {
        // A file that is not CSV: names of columns.
        case "22P04": detail = nil
        // Too long, or out of range: the detail has the limits.
        case "22001", "22003": message = Self.withoutQuotation(message)
        // `invalid byte sequence for encoding "UTF8": 0xff`
        case "22021":
            message = String(message.prefix(upToBytes: ": "))
            detail = nil
        // The character that another encoding lacks.
        case "22P05": detail = nil
        default:
            message = Self.withoutQuotation(message)
            detail = nil
        }
    }

    /// `Key (a)=(1) conflicts with existing key (a)=(2).` without everything from the first value to the last.
    private static func withoutKey(_ detail: String) -> String {
        let bytes = detail.utf8
        guard let start = bytes.firstRange(of: "=(".utf8)?.lowerBound, let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return detail }
        return String(detail[..<start] + detail[bytes.index(after: end)...])
    }

    /// A message with `…` for everything between its first and its last quotation mark.
    private static func withoutQuotation(_ message: String) -> String {
        let scalars = message.unicodeScalars
        guard let first = scalars.firstIndex(where: isQuotationMark),
            let last = scalars.lastIndex(where: isQuotationMark), first < last
        else { return message }
        return String(scalars[...first]) + "…" + String(scalars[last...])
    }

    /// `COPY sales, line 3, column price: "abc"` up to the value, and the same for each function that was called.
    private static func withoutValues(_ context: String) -> String {
        context.unicodeScalars.split { $0 == "\n" || $0 == "\r" }.enumerated().compactMap { number, line -> String? in
            let line = String(line)
            // A further line may be the rest of a value.
            guard number == 0 || line.hasPrefix("COPY ") || line.hasPrefix("PL/pgSQL") else { return nil }
            let place = line.prefix(upToBytes: ": ").unicodeScalars.prefix { !isQuotationMark($0) }
            return String(String(place).trimmedEnd)
        }.joined(separator: "\n")
    }

    private static func isQuotationMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\"", "«", "»", "„", "“", "”", "‹", "›", "「", "」": true
        default: false
        }
    }
}

extension String {
    /// The text before a mark; all of it when the mark is not in it.
    fileprivate func prefix(upToBytes mark: String) -> Substring {
        utf8.firstRange(of: mark.utf8).map { self[..<$0.lowerBound] } ?? self[...]
    }

    fileprivate var trimmedEnd: Substring {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
