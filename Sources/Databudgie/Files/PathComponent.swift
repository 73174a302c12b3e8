import Postgres

/// A name as one component of a path: what stands for `{table}` in a location or a file's name.
///
/// Slashes, per cent signs and control characters become `%XX`, so no name leads out of its folder; all other characters
/// stay, so ordinary names are readable and equal to those that databudgie 2.9.3 wrote. The parts of a name are encoded
/// separately, and a dot inside a part becomes `%2E`: `"a.b".c` and `a."b.c"` are two components.
struct PathComponent: Sendable, Hashable {
    /// The encoded name.
    let text: String

    /// The component of a table.
    init(_ name: QualifiedName) {
        text = Self.encode(name.schema) + "." + Self.encode(name.name)
    }

    /// The component of a schema.
    init(schema: String) {
        text = Self.encode(schema)
    }

    /// The component of a free label, which has no parts: its dots stay, but for one at the very beginning.
    init(label: String) {
        let isHidden = label.utf8.first == UInt8(ascii: ".")
        text =
            isHidden
            ? "%2E" + Self.encode(String(decoding: label.utf8.dropFirst(), as: UTF8.self), dots: false)
            : Self.encode(label, dots: false)
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
