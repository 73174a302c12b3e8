import Crypto
import Postgres

/// A name as one component of a path: what stands for `{table}` in a location or a file's name.
///
/// Slashes, per cent signs and control characters become `%XX`, so no name leads out of its folder; all other characters
/// stay, so ordinary names are readable and equal to those that databudgie 2.9.3 wrote. The parts of a name are encoded
/// separately, and a dot inside a part becomes `%2E`: `"a.b".c` and `a."b.c"` are two components.
///
/// Disks that ignore case hold one file for two names that differ in case only. Where a database has two such tables the
/// capitals of their names are encoded as well. A restore looks for both forms: its database may have other tables.
struct PathComponent: Sendable, Hashable {
    /// The encoded name.
    let text: String
    /// The other form in which files of the name may have been written.
    let otherText: String?
    /// Another name of the database differs in case only: files of the other form may be that name's.
    let hasTwin: Bool

    /// The component of a table.
    /// - Parameters:
    ///   - name: The table's name.
    ///   - hasTwin: Another table's name differs in case only.
    init(_ name: QualifiedName, hasTwin: Bool = false) {
        self.init(encoded: Self.encode(name.schema) + "." + Self.encode(name.name), hasTwin: hasTwin)
    }

    /// The component of a schema.
    /// - Parameters:
    ///   - schema: The schema's name.
    ///   - hasTwin: Another schema's name differs in case only.
    init(schema: String, hasTwin: Bool = false) {
        self.init(encoded: Self.encode(schema), hasTwin: hasTwin)
    }

    private init(encoded plain: String, hasTwin: Bool) {
        let caseless = Self.withoutCapitals(plain)
        let isSame = plain.hasBytes(of: caseless)
        text = hasTwin ? caseless : plain
        otherText = isSame ? nil : hasTwin ? plain : caseless
        self.hasTwin = hasTwin && !isSame
    }

    /// The component of a free label, which has no parts: its dots stay, but for one at the very beginning.
    init(label: String) {
        let isHidden = label.utf8.first == UInt8(ascii: ".")
        text =
            isHidden
            ? "%2E" + Self.encode(String(decoding: label.utf8.dropFirst(), as: UTF8.self), dots: false)
            : Self.encode(label, dots: false)
        otherText = nil
        hasTwin = false
    }

    /// Encodes the capitals of an encoded name; those of its encoded bytes are none.
    private static func withoutCapitals(_ text: String) -> String {
        var encoded: [UInt8] = []
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            let bytes = Array(String(scalar).utf8)
            if scalar == "%" {
                encoded += bytes + rest.prefix(2).flatMap { Array(String($0).utf8) }
                rest = rest.dropFirst(2)
            } else if scalar.properties.lowercaseMapping.hasBytes(of: String(scalar)) {
                encoded += bytes
            } else {
                encoded += bytes.flatMap(escape)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// The most bytes of a name that is shortened, and of its beginning that stays.
    private static let (shortLength, beginning) = (150, 100)

    /// A text for names that are too long for a disk or an object's key: its beginning, and a hash of all of it.
    ///
    /// What follows the last `%` is not an encoded byte, so no other name has the same text.
    /// - Parameter text: An encoded name.
    /// - Returns: At most 150 bytes; the text itself when it is not longer.
    static func shortened(_ text: String) -> String {
        guard text.utf8.count > shortLength else { return text }
        var start = Array(text.utf8.prefix(beginning))
        // Neither a character nor an encoded byte is cut.
        if let sign = start.lastIndex(of: UInt8(ascii: "%")), start.count - sign < 3 { start.removeSubrange(sign...) }
        while String(validating: start, as: UTF8.self) == nil, !start.isEmpty { start.removeLast() }
        let digits = SHA256.hash(data: Array(text.utf8)).prefix(16).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return String(decoding: start, as: UTF8.self) + "%-" + digits.joined()
    }

    /// Decodes a component that the initializer for tables has encoded.
    ///
    /// - Parameter text: As in a list of tables.
    /// - Returns: The table's name; nil when the text has no dot.
    static func name(_ text: String) -> QualifiedName? {
        let parts = text.split(atByte: ".", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        return QualifiedName(schema: decode(parts[0]), name: decode(parts[1]))
    }

    /// Decodes a component that the initializer for schemas has encoded.
    ///
    /// - Parameter text: As in a list of what has definitions.
    /// - Returns: The schema's name; nil when the text has a dot, so is a table's.
    static func schema(_ text: String) -> String? {
        text.utf8.contains(UInt8(ascii: ".")) ? nil : decode(text)
    }

    private static func encode(_ part: String, dots: Bool = true) -> String {
        var encoded: [UInt8] = []
        for byte in part.utf8 {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "%"), 0..<0x20, 0x7F: encoded += escape(byte)
            case UInt8(ascii: ".") where dots: encoded += escape(byte)
            default: encoded.append(byte)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = String(byte, radix: 16, uppercase: true)
        return Array("%\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8)
    }

    private static func decode(_ part: String) -> String {
        var decoded: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            // Swift also reads `+5` and `-0` as numbers.
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit),
                let value = UInt8(digits, radix: 16)
            {
                decoded.append(value)
                rest = rest.dropFirst(2)
            } else {
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    static func == (left: PathComponent, right: PathComponent) -> Bool {
        left.text.hasBytes(of: right.text)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ByteKey(text))
    }
}
