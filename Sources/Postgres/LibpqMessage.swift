/// Turns libpq's own messages, which have several lines with tabs, into one line.
enum LibpqMessage {
    /// Joins the lines of a message.
    ///
    /// - Parameter text: The message as libpq wrote it.
    /// - Returns: One line without a full stop; questions to the reader ("Is the server running …?") are omitted.
    static func tidied(_ text: String) -> String {
        lines(of: text).joined(separator: "; ")
    }

    /// Creates an error from the message of a failed attempt to connect.
    ///
    /// - Parameter text: The message, written with PQERRORS_VERBOSE, so it contains the SQLSTATE.
    /// - Returns: An error whose code distinguishes wrong credentials from everything else.
    static func connectionError(_ text: String) -> PostgresError {
        var sqlState: String?
        var details: [String: String] = [:]
        let kept = lines(of: text).compactMap { line -> String? in
            for label in ["DETAIL", "HINT"] where line.hasPrefix(label + ": ") {
                details[label] = String(line.dropFirst(label.count + 1)).trimmed
                return nil
            }
            // The place in the server's source is of no use to the reader.
            if line.contains(/, \w+\.c:\d+$/) {
                return nil
            }
            guard let match = line.firstMatch(of: /: +((?=[A-Z]*[0-9])[0-9A-Z]{5}): +/) else { return line }
            sqlState = String(match.1)
            return String(line[..<match.range.lowerBound]) + ": " + String(line[match.range.upperBound...])
        }
        let message = kept.joined(separator: "; ")
        // Class 28: invalid authorization specification. A missing password is libpq's own complaint, without SQLSTATE.
        let isAuthentication = sqlState.map { $0.hasPrefix("28") } ?? message.contains("no password supplied")
        var error = PostgresError(
            isAuthentication ? .authenticationFailed : .connectionFailed,
            message.isEmpty ? "the connection failed, and libpq gives no reason" : message,
            sqlState: sqlState
        )
        error.detail = details["DETAIL"]
        error.hint = details["HINT"]
        return error
    }

    private static func lines(of text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { String($0).trimmed }
            .filter { !$0.isEmpty && !$0.hasSuffix("?") }
    }
}

extension String {
    /// The text without white space at its ends.
    fileprivate var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else {
            return ""
        }
        return String(self[first...last])
    }
}
