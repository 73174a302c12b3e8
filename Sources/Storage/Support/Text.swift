extension String {
    /// The string, or nil when it is empty: settings count an empty value as missing.
    var nonEmpty: String? { isEmpty ? nil : self }
}

/// Puts what a user wrote between quotes and makes control characters visible.
func quoting(_ text: some StringProtocol) -> String {
    let visible = text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? $0.escaped(asASCII: true) : String($0) }
    return "\"\(visible.joined())\""
}
