/// Percent-encodes as Signature Version 4 wants it: everything but letters, digits, `-`, `.`, `_` and `~`, byte by byte.
///
/// Source: "Create a canonical request" in the AWS Identity and Access Management user guide.
/// - Parameters:
///   - text: The string, not encoded yet.
///   - keepsSlash: Whether `/` stays as it is, as in an object's key.
/// - Returns: The encoded string, with upper-case hexadecimal digits.
func uriEncoded(_ text: String, keepsSlash: Bool = false) -> String {
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
        if byte.isLetter || byte.isDigit || "-._~".utf8.contains(byte) || (keepsSlash && byte == slash) {
            encoded.append(byte)
        } else {
            encoded += [UInt8(ascii: "%"), hexadecimal(byte >> 4, upper: true), hexadecimal(byte & 15, upper: true)]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}

/// Decodes the encoding of listings, in which `+` stands for a space.
/// - Returns: The decoded string, or nil when it is not well-formed.
func uriDecoded(_ text: String) -> String? {
    var decoded: [UInt8] = []
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
        switch byte {
        case UInt8(ascii: "+"):
            decoded.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
            guard let high = bytes.next()?.hexadecimalValue, let low = bytes.next()?.hexadecimalValue else {
                return nil
            }
            decoded.append(high << 4 | low)
        default:
            decoded.append(byte)
        }
    }
    return String(validating: decoded, as: UTF8.self)
}
