extension String {
    /// The string, or nil when it is empty: settings count an empty value as missing.
    ///
    /// A line break at its end does not count: values that come from files often have one.
    var nonEmpty: String? {
        let end = utf8.lastIndex { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return end.map { String(self[...$0]) }
    }
}

/// Puts what a user wrote between quotes and makes control characters visible.
func quoting(_ text: some StringProtocol) -> String {
    let visible = text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? $0.escaped(asASCII: true) : String($0) }
    return "\"\(visible.joined())\""
}

/// Hides the user and the password of a URL, for messages.
func redacted(_ url: String) -> String {
    let bytes = url.utf8
    guard let end = bytes.lastIndex(of: UInt8(ascii: "@")) else { return url }
    let start = bytes.firstRange(of: "://".utf8)?.upperBound ?? bytes.startIndex
    return start <= end ? url[..<start] + "***" + url[end...] : url
}
