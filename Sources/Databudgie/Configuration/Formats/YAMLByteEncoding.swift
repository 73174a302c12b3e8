/// A YAML text in which no two characters are equal unless their bytes are.
///
/// Yams compares keys as Swift does, and refuses `é` composed beside `é` decomposed as one key that appears twice. Each byte
/// of a character outside ASCII becomes a character of its own for it, from a plane that has no meaning (Unicode,
/// chapter 23.5, private use), and is put back afterwards.
enum YAMLByteEncoding {
    private static let base: UInt32 = 0xF0000

    /// Replaces what Yams could confuse; the structure of the text stays as it is.
    static func encode(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard isName(scalar) else {
                result.append(scalar)
                continue
            }
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                if let replacement = Unicode.Scalar(base + UInt32(byte)) { result.append(replacement) }
            }
        }
        return String(result)
    }

    /// Puts the bytes back.
    static func decode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if (base + 0x80...base + 0xFF).contains(scalar.value) {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Line breaks, control characters and the byte order mark have a meaning for the reader.
    private static func isName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: false
        default: true
        }
    }
}
