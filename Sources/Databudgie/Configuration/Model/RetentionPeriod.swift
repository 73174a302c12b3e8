/// A length of time as restic writes it: `2y5m7d3h` is two years, five months, seven days and three hours.
public struct RetentionPeriod: Sendable, Hashable, CustomStringConvertible {
    /// How many years.
    public let years: Int
    /// How many months.
    public let months: Int
    /// How many days.
    public let days: Int
    /// How many hours.
    public let hours: Int

    /// The most digits of a number.
    private static let longestNumber = 9

    /// Reads a length of time; nil when the text is not one.
    ///
    /// - Parameter text: Numbers of at most nine digits, each followed by its unit: `y`, `m`, `d` or `h`, each at most once.
    public init?(_ text: String) {
        var numbers: [UInt8: Int] = [:]
        var rest = text.utf8[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            rest = rest.dropFirst(digits.count)
            guard digits.count <= Self.longestNumber, let number = Int(String(decoding: digits, as: UTF8.self)),
                let unit = rest.popFirst(), "ymdh".utf8.contains(unit),
                numbers.updateValue(number, forKey: unit) == nil
            else { return nil }
        }
        func number(_ unit: Unicode.Scalar) -> Int { numbers[UInt8(ascii: unit), default: 0] }
        (years, months, days, hours) = (number("y"), number("m"), number("d"), number("h"))
    }

    /// The length as it is written, from the largest unit to the smallest.
    public var description: String {
        let parts = [(years, "y"), (months, "m"), (days, "d"), (hours, "h")].filter { $0.0 > 0 }
        return parts.isEmpty ? "0h" : parts.map { "\($0.0)\($0.1)" }.joined()
    }

    var isZero: Bool { (years, months, days, hours) == (0, 0, 0, 0) }
}
