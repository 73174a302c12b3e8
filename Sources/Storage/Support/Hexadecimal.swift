/// Writes bytes as lower-case hexadecimal digits.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [hexadecimal($0 >> 4), hexadecimal($0 & 15)] }, as: UTF8.self)
}

extension UInt8 {
    /// What the byte stands for as a hexadecimal digit; nil when it is not one.
    var hexadecimalValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Writes a number below 16 as a hexadecimal digit.
func hexadecimal(_ number: UInt8, upper: Bool = false) -> UInt8 {
    number < 10 ? UInt8(ascii: "0") + number : (upper ? UInt8(ascii: "A") : UInt8(ascii: "a")) + number - 10
}
