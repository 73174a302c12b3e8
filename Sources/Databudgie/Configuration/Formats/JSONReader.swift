/// Reads JSON (RFC 8259) with the places of its values.
///
/// Foundation's reader knows neither places nor duplicate keys, and YAML has no surrogate pairs.
struct JSONReader {
    private let source: String
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var depth = 0

    /// - Throws: ``ConfigurationError`` with the line of the first fault.
    static func read(_ text: String, source: String) throws(ConfigurationError) -> SourceValue {
        var reader = JSONReader(source: source, text: text)
        reader.skipSpace()
        let value = try reader.value()
        reader.skipSpace()
        guard reader.position == reader.bytes.count else {
            throw reader.error("text follows the end of the JSON value")
        }
        return value
    }

    private init(source: String, text: String) {
        self.source = source
        bytes = Array(text.utf8)
        // A byte order mark may be ignored (RFC 8259, chapter 8.1).
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    private var place: SourcePlace { SourcePlace(source, line: line, format: .json) }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func error(_ problem: String, hint: String? = nil) -> ConfigurationError {
        ConfigurationError(.invalidSyntax, "bad JSON: \(problem)", hint: hint, at: place)
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            if byte == 0x0A { line += 1 }
            position += 1
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(ConfigurationError) -> SourceValue {
        let place = place
        switch next {
        case nil: throw error("a value is missing")
        case UInt8(ascii: "{"):
            return SourceValue(
                .mapping(try nested { reader throws(ConfigurationError) in try reader.mapping() }),
                at: place
            )
        case UInt8(ascii: "["):
            return SourceValue(.list(try nested { reader throws(ConfigurationError) in try reader.list() }), at: place)
        case UInt8(ascii: "\""): return SourceValue(text: try string(), at: place)
        default: return SourceValue(try word(), at: place)
        }
    }

    private mutating func nested<Value>(
        _ read: (inout JSONReader) throws(ConfigurationError) -> Value
    ) throws(ConfigurationError) -> Value {
        depth += 1
        defer { depth -= 1 }
        let deepest = ConfigurationFormat.deepestNesting
        guard depth <= deepest else { throw error("it is nested more than \(deepest) levels deep") }
        position += 1
        skipSpace()
        return try read(&self)
    }

    private mutating func mapping() throws(ConfigurationError) -> SourceMapping {
        var result = SourceMapping()
        if skip("}") { return result }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes is missing") }
            let keyPlace = place
            let key = try string()
            guard result[key] == nil else {
                throw ConfigurationError(
                    .invalidSyntax,
                    "the key '\(key)' is in the same mapping twice",
                    hint: "remove one of them",
                    at: keyPlace
                )
            }
            skipSpace()
            guard skip(":") else { throw error("a colon is missing after the key '\(key)'") }
            skipSpace()
            result.set(key, try value(), keyPlace: keyPlace)
            skipSpace()
        } while skip(",")
        guard skip("}") else { throw error("a comma or a closing brace is missing") }
        return result
    }

    private mutating func list() throws(ConfigurationError) -> [SourceValue] {
        var result: [SourceValue] = []
        if skip("]") { return result }
        repeat {
            skipSpace()
            result.append(try value())
            skipSpace()
        } while skip(",")
        guard skip("]") else { throw error("a comma or a closing bracket is missing") }
        return result
    }

    private mutating func word() throws(ConfigurationError) -> SourceScalar {
        let start = position
        while let byte = next, Self.isWord(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "null": return SourceScalar(.null, "")
        case "true", "false": return SourceScalar(.bool, text)
        default:
            guard text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil else {
                guard !text.isEmpty else { throw error("an unexpected character") }
                // It is not repeated: it may be a password without quotes.
                throw error("a word that is not a value", hint: "put strings in double quotes")
            }
            return SourceScalar(.number, text)
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private mutating func string() throws(ConfigurationError) -> String {
        position += 1
        var units: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
            case UInt8(ascii: "\\"): units += Array(String(try escape()).utf8)
            case 0..<0x20: throw error("a control character in a string", hint: "write it as an escape such as \\n")
            default: units.append(byte)
            }
        }
        throw error("the closing quote of a string is missing")
    }

    private mutating func escape() throws(ConfigurationError) -> Unicode.Scalar {
        guard let byte = next else { throw error("the closing quote of a string is missing") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return try codePoint()
        default: throw error("an unknown escape in a string", hint: "write a backslash as \\\\")
        }
    }

    /// The scalar after `\u`, which can be a pair of surrogates.
    private mutating func codePoint() throws(ConfigurationError) -> Unicode.Scalar {
        let first = try unit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, skip("\\"), skip("u") else { throw error("half a surrogate pair in a string") }
        let second = try unit()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half a surrogate pair in a string") }
        return scalar
    }

    private mutating func unit() throws(ConfigurationError) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("'\\u' needs four hexadecimal digits") }
        position += 4
        return unit
    }
}
