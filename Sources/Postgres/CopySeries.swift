/// COPY … FROM STDIN commands that were announced, and go to the server in one text.
struct CopySeries {
    private(set) var texts: ArraySlice<String> = []
    /// Why the server did not begin the next one.
    var failure: PostgresError?

    init(_ texts: [String] = []) {
        self.texts = texts[...]
    }

    /// Whether a command is the next one.
    func continues(with text: String) -> Bool {
        texts.first.map { $0.utf8.elementsEqual(text.utf8) } ?? false
    }

    /// Takes the next one out.
    ///
    /// - Returns: Whether others come after it.
    mutating func takeNext() -> Bool {
        texts = texts.dropFirst()
        return !texts.isEmpty
    }
}
