/// A name that equals another one only when all bytes of the two are the same.
///
/// Swift's own `==` treats `é` composed (U+00E9) and decomposed (`e` and U+0301) as equal, and so do dictionaries and sets
/// of `String`. For Postgres, for S3 and for most file systems they are two names.
struct ByteKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The name itself.
    let string: String

    /// Takes a name as a key.
    init(_ string: some StringProtocol) {
        self.string = String(string)
    }

    var description: String { string }

    static func == (first: ByteKey, second: ByteKey) -> Bool {
        first.string.utf8.elementsEqual(second.string.utf8)
    }

    /// The order of the bytes, which is that of the code points too.
    static func < (first: ByteKey, second: ByteKey) -> Bool {
        first.string.utf8.lexicographicallyPrecedes(second.string.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for byte in string.utf8 {
            hasher.combine(byte)
        }
        // No byte of UTF-8 has this value: names hashed one after another stay apart.
        hasher.combine(0xFF as UInt8)
    }
}

extension StringProtocol {
    /// Whether all bytes of the two strings are the same.
    func hasBytes(of other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8)
    }

    /// Whether the bytes of a string come first in this one, whatever combining mark follows them.
    func startsWithBytes(of prefix: some StringProtocol) -> Bool {
        utf8.starts(with: prefix.utf8)
    }

    /// Whether the bytes of a string are in this one, whatever combining mark follows them.
    func containsBytes(of text: some StringProtocol) -> Bool {
        utf8.firstRange(of: text.utf8) != nil
    }

    /// Splits the string at an ASCII character, whatever combining mark follows it.
    ///
    /// - Parameters:
    ///   - separator: The character, which is in no part.
    ///   - maxSplits: How often the string is split at most.
    /// - Returns: All parts, empty ones included.
    func split(atByte separator: Unicode.Scalar, maxSplits: Int = .max) -> [String] {
        utf8.split(separator: UInt8(ascii: separator), maxSplits: maxSplits, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Replaces the bytes of a string wherever they are.
    ///
    /// - Parameters:
    ///   - text: What is replaced; whole code points.
    ///   - replacement: What takes its place.
    /// - Returns: The string with all replacements.
    func replacingBytes(of text: some StringProtocol, with replacement: some StringProtocol) -> String {
        String(decoding: Array(utf8).replacing(Array(text.utf8), with: Array(replacement.utf8)), as: UTF8.self)
    }
}
