/// A string as a key that is compared by its bytes.
///
/// `String` compares by canonical equivalence: `é` in one code point equals `e` with a combining accent, and a quote or a
/// slash with an accent is another character. For names that users give, both are wrong.
struct ExactString: Sendable, Hashable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: ExactString, right: ExactString) -> Bool {
        left.text.equalsBytes(of: right.text)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(bytesOf: text)
    }
}

extension StringProtocol {
    /// Whether another string has the same UTF-8 bytes.
    func equalsBytes(of other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    /// Whether the string begins with the UTF-8 bytes of another.
    func beginsWithBytes(of prefix: String) -> Bool {
        utf8.starts(with: prefix.utf8)
    }

    /// Whether the string ends with the UTF-8 bytes of another.
    func endsWithBytes(of suffix: String) -> Bool {
        utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}

extension String {
    /// Replaces each place at which the UTF-8 bytes of another string are, whatever follows them.
    func replacingBytes(of old: String, with new: String) -> String {
        let pattern = Array(old.utf8)
        guard !pattern.isEmpty else { return self }
        var result: [UInt8] = []
        var rest = Array(utf8)[...]
        while let found = rest.firstRange(of: pattern) {
            result += rest[..<found.lowerBound]
            result += new.utf8
            rest = rest[found.upperBound...]
        }
        return String(decoding: result + rest, as: UTF8.self)
    }
}

extension Hasher {
    /// Feeds a string's UTF-8 bytes and their end.
    mutating func combine(bytesOf text: String) {
        var text = text
        text.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
        // No byte of UTF-8 has this value.
        combine(0xFF as UInt8)
    }
}
