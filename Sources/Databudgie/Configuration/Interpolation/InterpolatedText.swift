/// A text of the configuration, which knows what of it was inserted from outside.
struct InterpolatedText {
    /// All of the text.
    private(set) var text = ""
    /// Something was replaced by a value, even by an empty one or by a default.
    private(set) var isChanged = false
    /// Which bytes of ``text`` came from outside, by their offsets.
    private var inserted: [Range<Int>] = []
    /// A file's text is inserted as it is: SQL must not turn into a number or a boolean.
    private var isLiteral = true

    /// Adds what is in the configuration itself.
    mutating func append(written: some StringProtocol) {
        text += written
    }

    /// Adds the value of an interpolation.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - isWritten: It is a default from the configuration itself.
    ///   - isLiteral: It can be read as something other than a string.
    mutating func append(value: String, isWritten: Bool, isLiteral: Bool) {
        let start = text.utf8.count
        text += value
        if !isWritten, !value.isEmpty { inserted.append(start..<text.utf8.count) }
        isChanged = true
        self.isLiteral = self.isLiteral && isLiteral
    }

    /// Whether a byte came from outside.
    func isInserted(_ offset: Int) -> Bool {
        inserted.contains { $0.contains(offset) }
    }

    /// The value of the finished text, which is read once more as a literal of its format.
    ///
    /// - Parameters:
    ///   - place: Where it is.
    ///   - isSecret: It is a password or the like: what was inserted from outside is taken as it is.
    /// - Returns: The value.
    func value(at place: SourcePlace, isSecret: Bool = false) -> SourceValue {
        isLiteral && !(isSecret && !inserted.isEmpty)
            ? ScalarLiteral.read(text, at: place) : SourceValue(text: text, at: place)
    }
}
