/// Colours and weights, or none.
struct TextStyle: Equatable, Sendable {
    /// Text stays as it is.
    static let plain = TextStyle(hasColor: false)
    /// Text gets the escape codes of ECMA-48's SGR.
    static let color = TextStyle(hasColor: true)

    let hasColor: Bool

    func bold(_ text: String) -> String { wrapped(text, in: "1") }
    func dim(_ text: String) -> String { wrapped(text, in: "2") }
    func red(_ text: String) -> String { wrapped(text, in: "31") }
    func green(_ text: String) -> String { wrapped(text, in: "32") }
    func yellow(_ text: String) -> String { wrapped(text, in: "33") }
    func cyan(_ text: String) -> String { wrapped(text, in: "36") }

    private func wrapped(_ text: String, in code: String) -> String {
        hasColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
