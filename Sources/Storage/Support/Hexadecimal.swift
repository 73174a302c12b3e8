/// Writes bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [hexadecimal($0 >> 4), hexadecimal($0 & 15)] }, as: UTF8.self)
}

/// Writes a number below 16 as a hexadecimal digit.
func hexadecimal(_ number: UInt8, upper: Bool = false) -> UInt8 {
    number < 10 ? UInt8(ascii: "0") + number : (upper ? UInt8(ascii: "A") : UInt8(ascii: "a")) + number - 10
}
